"""`insigma tenant`: what a customer's profile says, does and lacks. Each sub-command is imported when it runs."""

from __future__ import annotations

import importlib

import click

COMMANDS = {
    "check": "Tell what is wrong with profiles, also what only specialising finds.",
    "show": "Tell what holds for a tenant, or how a rule holds for it.",
    "diff": "Tell what two tenants get differently.",
    "measure": "Measure a tenant's log sources on events.",
}


class _Lazy(click.Group):
    """A group whose commands live in `insigma.cli.tenant_<name>`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"insigma.cli.tenant_{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; for a misspelt one the error names the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from insigma.cli.output import did_you_mean

            hint = did_you_mean(name, COMMANDS, "")
            raise click.UsageError(f"no command 'tenant {name}'" + (f"; {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group("tenant", cls=_Lazy)
def command() -> None:
    """Look at customers: their profiles in mappings/tenants/, and what the pack is for them."""
