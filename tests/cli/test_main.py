"""What holds for every command: help, exit codes, one line for every error, no work before it is asked for."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from insigma import __version__
from insigma.cli import explain_command
from insigma.cli.main import COMMANDS
from tests.cli.harness import ROOT, command, edit, environment, insigma, small_pack, spawn

HEAVY = ("sigma", "yaml", "jsonschema", "rich", "re2", "orjson", "pygments", "requests", "referencing")
TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "200", "NO_COLOR": ""}
EVENT_RULE = """title: Any Login
id: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11
status: test
level: low
logsource: {category: authentication}
detection:
  selection: {user.name: "*"}
  condition: selection
"""


def test_help_names_every_command_and_the_exit_codes(tmp_path: Path) -> None:
    ran = insigma("--help", cwd=tmp_path)
    assert ran.code == 0
    assert all(f"\n  {name} " in ran.out for name in COMMANDS)
    assert all(f" {code} " in ran.out for code in range(4))


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(name: str, option: str, tmp_path: Path) -> None:
    ran = insigma(name, option, cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: insigma {name} ")
    assert "--help" in ran.out


def test_version(tmp_path: Path) -> None:
    assert insigma("--version", cwd=tmp_path).out == f"insigma {__version__}\n"


def test_no_command_gives_the_help_and_exit_3(tmp_path: Path) -> None:
    ran = insigma(cwd=tmp_path)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == insigma("--help", cwd=tmp_path).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["chekc"], "no command 'chekc'; did you mean 'check'?"),
        (["bild"], "did you mean 'build'?"),
        (["xyzzy"], "no command 'xyzzy'\n"),
        (["check", "--nonsense"], "--nonsense"),
        (["check", "--format", "yaml"], "'text', 'json', 'sarif', 'junit', 'github'"),
        (["check", "nowhere"], "nowhere: no such file or folder"),
        (["test", "nowhere"], "nowhere: no such file or folder"),
        (["eval", "nowhere", "--events", "-"], "nowhere: no such file or folder"),
        (["eval", "--events", "-"], "RULES"),
        (["eval", "rule.yml"], "--events"),
        (["eval", "rule.yml", "other.yml", "--events", "-"], "other.yml: no such file or folder"),
        (["eval", "rule.yml", "--events", "absent.json"], "absent.json: No such file or directory"),
        (["eval", "rule.yml", "--events", "."], ".: Is a directory"),
        (["explain", "INS999"], "no code 'INS999'"),
        (["new"], "DOMAIN/SLUG"),
        (["new", "claims/suspicious_thing"], "no pack here"),
        (["show", "ins-clm-001"], "--target"),
        (["show", "ins-clm-999", "-t", "splunk"], "no rule 'ins-clm-999'"),
        (["show", "rule.yml", "-t", "nonsense"], "no target 'nonsense'"),
        (["build", "-t", "nonsense"], "no target 'nonsense'"),
        (["test", "rule.yml"], "no fixtures"),
    ],
)
def test_wrong_use_is_told_in_words_with_exit_3(arguments: list[str], told: str, tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(EVENT_RULE)
    ran = insigma(*arguments, cwd=tmp_path)
    assert ran.code == 3
    assert ran.out == ""
    assert ran.err.startswith("insigma: ")
    assert told in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rule.yml"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys, json\nsys.argv = ['insigma', '--help']\nfrom insigma.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    loaded = set(json.loads(ran.stdout.splitlines()[-1]))
    assert "Usage: insigma" in ran.stdout
    assert not loaded.intersection(HEAVY)
    assert not {name for name in loaded if name.startswith("insigma.") and name.endswith("_command")}


@pytest.mark.parametrize("arguments", [["explain"], ["check"], ["show", "ins-clm-c04", "-t", "splunk"]])
def test_no_colours_where_output_is_piped(arguments: list[str], tmp_path: Path) -> None:
    ran = spawn(*arguments, cwd=small_pack(tmp_path), env={"TERM": "xterm-256color"})
    assert ran.code == 0
    assert ran.out
    assert "\x1b" not in ran.out + ran.err


def on_terminal(*arguments: str, cwd: Path, **extra: str) -> str:
    """What a command writes where standard output is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(**{"TERM": "xterm-256color", "COLUMNS": "100", **extra}),
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    process.wait(timeout=60)
    return written.decode("utf-8")


@pytest.mark.parametrize("arguments", [["explain", "INS105"], ["check", "broken.yml"], ["show", "ins-clm-c04", "-t", "splunk"]])
def test_colours_on_a_terminal_unless_no_color_is_set(arguments: list[str], tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / "broken.yml").write_text(EVENT_RULE.replace("condition: selection", "condition: other"))
    assert "\x1b[" in on_terminal(*arguments, cwd=folder)
    assert "\x1b[" in on_terminal(*arguments, cwd=folder, NO_COLOR="")
    assert "\x1b[" not in on_terminal(*arguments, cwd=folder, TERM="dumb")
    plain = on_terminal(*arguments, cwd=folder, NO_COLOR="1")
    assert "\x1b[" not in plain
    assert plain.replace("\r\n", "\n").strip()


@pytest.mark.parametrize("part", ["both", "query", "native"])
@pytest.mark.parametrize("target", ["splunk", "elastic"])
def test_show_on_a_terminal_adds_title_and_language(part: str, target: str, tmp_path: Path) -> None:
    ran = insigma("show", "ins-clm-c04", "-t", target, "--part", part, cwd=small_pack(tmp_path), env=TERMINAL, terminal=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ran.out)
    assert ran.code == 0
    assert plain.startswith("Potential Repeated Unauthorised Claim Access Attempts (")
    assert f"({target}, " in plain
    assert "note: " in ran.err
    assert ("claim-view" in plain) == (part != "native" or target == "elastic" or "search = " in plain)
    assert ("cron_schedule" in plain or '"rule_id"' in plain) == (part != "query")


def test_explain_on_a_terminal_is_laid_out(tmp_path: Path) -> None:
    ran = insigma("explain", "INS105", cwd=tmp_path, env=TERMINAL, terminal=True)
    assert "INS105: undefined-selection" in ran.out
    assert "## Fix" not in ran.out


def test_eval_on_a_terminal_counts_events(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(EVENT_RULE)
    events = b'{"user.name": "ann"}\n' * 12_000
    ran = insigma("eval", "rule.yml", "--events", "-", cwd=tmp_path, env=TERMINAL, terminal=True, stdin=events)
    assert ran.code == 0
    assert ran.lines[-1] == "1 rule of 1 matched in 12,000 events"


def test_build_on_a_terminal_leaves_no_bar_behind_also_when_it_fails(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    assert insigma("build", cwd=folder, env=TERMINAL, terminal=True).code == 0
    edit(folder / "rules" / "claims" / "claims_system_access_denied.yml", "level: ", "level: very-")
    ran = insigma("build", cwd=folder, env=TERMINAL, terminal=True)
    assert ran.code == 1
    assert ran.lines[-1].endswith("findings") or ran.lines[-1].endswith("finding")


def test_a_build_on_a_terminal_shows_its_progress_and_leaves_the_summary(tmp_path: Path) -> None:
    shown = on_terminal("build", "-t", "splunk", cwd=small_pack(tmp_path))
    assert "compiling" in shown
    assert shown.rstrip().splitlines()[-1].startswith("splunk ")


def test_a_reader_that_leaves_early_ends_the_command_quietly(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("explain"), cwd=tmp_path, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), errors) == (0, b"")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            ZeroDivisionError("oops"),
            3,
            "insigma: a fault of the program: ZeroDivisionError: oops\n  hint: run again with INSIGMA_DEBUG=1",
        ),
        (MemoryError(), 3, "insigma: out of memory"),
        (RecursionError(), 2, "insigma: an input is nested too deeply"),
        (OSError(28, "No space left on device", "x"), 3, "insigma: x: No space left on device"),
        (OSError("odd"), 3, "insigma: odd"),
        (KeyboardInterrupt(), 130, "insigma: interrupted"),
    ],
)
def test_whatever_goes_wrong_is_one_line_and_an_exit_code(
    error: BaseException, code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_command, "page_of", mock.Mock(side_effect=error))
    ran = insigma("explain", "INS105", cwd=tmp_path)
    assert ran.code == code
    assert ran.err.strip().startswith(told)
    assert "Traceback" not in ran.err


def test_insigma_debug_shows_where_the_program_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_command, "page_of", mock.Mock(side_effect=ZeroDivisionError("oops")))
    ran = insigma("explain", "INS105", cwd=tmp_path, env={"INSIGMA_DEBUG": "1"})
    assert ran.code == 3
    assert "Traceback" in ran.err
    assert "explain_command.py" in ran.err
    assert "ZeroDivisionError: oops" in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize("arguments", [["explain"], ["--version"], ["show", "ins-clm-c04", "-t", "splunk"]])
def test_a_full_standard_output_is_named(arguments: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            command(*arguments), cwd=small_pack(tmp_path), env=environment(), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (ran.returncode, ran.stderr) == (3, b"insigma: standard output: No space left on device\n")


@pytest.mark.parametrize("arguments", [["explain"], ["check"], ["eval", "loose.yml", "--events", "-"], ["explain", "INS105"]])
@pytest.mark.parametrize("closed", [">&-", "<&-", ">&- 2>&-", "<&- >&-"])
def test_closed_streams_are_no_fault(arguments: list[str], closed: str, tmp_path: Path) -> None:
    (small_pack(tmp_path) / "loose.yml").write_text(EVENT_RULE)
    ran = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {closed}', "sh", *command(*arguments)],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding_of_the_output_can_be_written_to(encoding: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / "loose.yml").write_text(EVENT_RULE.replace("Any Login", "Zażółć ☃ Login").replace("condition: selection", "condition: żółw"))
    ran = subprocess.run(
        command("check", "loose.yml"),
        cwd=folder,
        env=environment(PYTHONIOENCODING=encoding, PYTHONUTF8="0"),
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 2
    assert b"INS1" in ran.stdout
    assert ran.stderr == b""


def test_the_module_runs_as_the_program_does() -> None:
    ran = spawn("--version", cwd=ROOT)
    assert (ran.code, ran.out) == (0, f"insigma {__version__}\n")
