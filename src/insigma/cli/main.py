"""The entry point: sub-commands are imported when they run, errors become one line and an exit code."""

from __future__ import annotations

import gc
import importlib
import io
import os
import signal
import sys

import click

from insigma import __version__
from insigma.diagnostics.model import ExitCode

COMMANDS = {
    "check": "Check rules, mappings, fixtures and tenants.",
    "test": "Run fixtures through the reference evaluator.",
    "mutate": "See whether fixtures notice what can go wrong in a rule.",
    "coverage": "Tell what the tested rules cover.",
    "build": "Check, test and compile the pack into dist/.",
    "tenant": "Check, show, compare and measure tenants.",
    "show": "Show the compiled query of a rule.",
    "prove": "Run the compiled queries on real engines and compare.",
    "eval": "Evaluate Sigma rules on events.",
    "adapt": "Turn a product's raw events into canonical events.",
    "release": "Lock what the rules are, count their versions, write the changelog.",
    "verify": "Check the signature and the files of what was built.",
    "diff": "Tell what a change of the pack does, rule by rule.",
    "explain": "Explain the code of a finding.",
    "new": "Start a rule and its fixture.",
}

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells count it: 128 and the number of the signal."""

EPILOG = "Exit codes: 0 all well; 1 findings or failing fixtures; 2 rules that cannot be read or compiled; 3 usage or environment."


class _ReaderGone(Exception):
    """Who reads our output has closed it, as `head` does; that is no fault."""


class LazyGroup(click.Group):
    """A group whose commands live in `insigma.cli.<name>_command`, imported on use; `--help` imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"insigma.cli.{cmd_name}_command").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command to run; for a misspelt one the error names the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from insigma.cli.output import did_you_mean

            hint = did_you_mean(name, COMMANDS, "")
            raise click.UsageError(f"no command '{name}'" + (f"; {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. A closed pipe is told in our own way: click would make it exit code 1, which means findings."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="insigma", message="%(prog)s %(version)s")
def cli() -> None:
    """Insurance detections, written once in Sigma: checked, tested on events, compiled for each SIEM."""


def main() -> None:
    """Run the command line and exit."""
    gc.set_threshold(100_000, 20, 100)  # what is read stays until the end: looking for garbage often costs a tenth and finds none
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal's encoding lacks is shown as an escape
            stream.reconfigure(errors="backslashreplace")
    code = _run()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done: Ctrl-C while Python tears down would change the exit code
    sys.exit(code)


def _open_closed_streams() -> None:
    """Python has None for a stream that the shell has closed (`>&-`); commands shall not have to care."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


def _silence_stdout() -> None:
    """What is still to be written goes nowhere: Python would try once more at the end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _from_stdout(error: OSError) -> bool:
    """Whether an error that names no file came of writing to standard output, to go by who was writing."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals.get("__name__") in {"click.utils", "rich.console", __name__}


def _run() -> int:
    try:
        code = cli.main(prog_name="insigma", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("insigma: interrupted; nothing was left half-written", err=True)
        return INTERRUPTED
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except click.UsageError as error:
        click.echo(f"insigma: {error.format_message()}", err=True)
        if error.ctx is not None:
            click.echo(f"  hint: {error.ctx.command_path} --help", err=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        click.echo(f"insigma: {error.format_message()}", err=True)
        return error.exit_code
    except (_ReaderGone, BrokenPipeError):
        _silence_stdout()
        return ExitCode.OK
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        if not where and _from_stdout(error):
            where = "standard output: "
            _silence_stdout()
        click.echo(f"insigma: {where}{error.strerror or error}", err=True)
        return ExitCode.USAGE
    except MemoryError:
        click.echo("insigma: out of memory", err=True)
        return ExitCode.USAGE
    except RecursionError:
        click.echo("insigma: an input is nested too deeply to be worked on", err=True)
        return ExitCode.UNUSABLE
    except Exception as error:
        if os.environ.get("INSIGMA_DEBUG"):
            import traceback

            traceback.print_exception(error)
            return ExitCode.USAGE
        click.echo(f"insigma: a fault of the program: {type(error).__name__}: {error}", err=True)
        click.echo("  hint: run again with INSIGMA_DEBUG=1 and report what it prints", err=True)
        return ExitCode.USAGE
    return code if isinstance(code, int) else ExitCode.OK


if __name__ == "__main__":
    main()
