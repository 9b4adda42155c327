"""What nobody should be able to do to the program, on a copy of the pack: break it, fool it, or leave half a dist/ behind."""

from __future__ import annotations

import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from insigma.content.yaml_reader import MAX_BYTES
from tests.cli.harness import Ran, command, edit, environment, files_of, findings, insigma, siblings, small_pack, spawn, whole_pack

BASE = "rules/claims/claims_system_access_denied.yml"
COUNT = "rules/claims/potential_repeated_unauthorised_claim_access_attempts.yml"
RESTRICTED = "rules/claims/suspicious_access_to_restricted_claim_file.yml"
FIXTURE = "tests/fixtures/claims/suspicious_access_to_restricted_claim_file.yml"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return small_pack(tmp_path / "pack")


def line_of(path: Path, text: str) -> int:
    """The line on which a text stands."""
    return 1 + next(number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()) if text in line)


def assert_clean(ran: Ran, *codes: int) -> None:
    """The run ended with one of the codes and said nothing in Python's words."""
    assert ran.code in codes, ran.err
    assert "Traceback" not in ran.out + ran.err
    assert "a fault of the program" not in ran.err


# --- broken files


def test_six_faults_in_three_files_are_all_told_in_one_run_each_at_its_line(tmp_path: Path) -> None:
    folder = whole_pack(tmp_path / "pack")
    first, second = folder / RESTRICTED, folder / BASE
    edit(first, "level: ", "level: very-")
    edit(first, "status: ", "status: almost-")
    edit(first, "user.effective.name", 'user.effective."name"')
    edit(second, "  selection:\n", "  selection:\n    user.name|containz: x\n")
    edit(second, "condition: selection", "condition: selection and nothing")
    third = folder / "rules" / "claims" / "claim_data_export.yml"
    third.write_bytes(third.read_bytes() + b"bad: \xff\n")
    for name in ("check", "build"):
        ran = insigma(name, cwd=folder)
        assert_clean(ran, 2)
        told = set(findings(ran.out))
        assert {
            (RESTRICTED, line_of(first, "level: very-"), "INS203"),
            (RESTRICTED, line_of(first, "status: almost-"), "INS204"),
            (RESTRICTED, line_of(first, 'user.effective."name"'), "INS217"),
            (BASE, line_of(second, "user.name|containz"), "INS102"),
            (BASE, line_of(second, "condition: selection and nothing"), "INS105"),
            ("rules/claims/claim_data_export.yml", len(third.read_bytes().splitlines()), "INS003"),
        } <= told
    assert not (folder / "dist").exists()


def random_files(folder: Path, seed: int, number: int = 60) -> None:
    """Files of random bytes, and of the pieces that YAML and Sigma are made of in random order."""
    chance = random.Random(seed)
    folder.mkdir(parents=True)
    pieces = [
        "title: x\n",
        "detection:\n",
        "  selection:\n",
        "    a|re: '('\n",
        "  condition: ",
        "1 of *",
        "not ",
        "(",
        "- ",
        "? ",
        "&a ",
        "*a",
        "!!python/x ",
        "{",
        "]",
        "\t",
        "'",
        '"',
        "|\n",
        "---\n",
        "...\n",
        "%YAML 9\n",
        "\x00",
        "\ufeff",
        "correlation: {type: event_count}\n",
        "<<: *a\n",
        "null",
        "~",
        "\u2028",
        "\r",
    ]
    for index in range(number):
        content = (
            chance.randbytes(chance.randrange(2_000)) if index % 2 else "".join(chance.choices(pieces, k=chance.randrange(60))).encode()
        )
        (folder / f"random_{index}.yml").write_bytes(content)


@pytest.mark.parametrize("seed", range(5))
def test_random_bytes_are_findings(seed: int, pack: Path) -> None:
    random_files(pack / "rules" / "random", seed)
    random_files(pack / "tests" / "fixtures" / "random", seed + 100, 10)
    random_files(pack / "mappings" / "tenants" / "random", seed + 200, 10)
    ran = insigma("check", cwd=pack)
    assert_clean(ran, 2)
    told = {path for path, _, _ in findings(ran.out)}
    assert len([path for path in told if path.startswith("rules/random/")]) == 60
    for arguments in (
        ["test"],
        ["build"],
        ["check", "--format", "sarif"],
        ["check", "--format", "junit"],
        ["show", "ins-clm-c04", "-t", "splunk"],
    ):
        assert_clean(insigma(*arguments, cwd=pack), 0, 1, 2)
    assert not (pack / "dist").exists()


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_do_not_keep_good_rules_from_being_evaluated(seed: int, tmp_path: Path) -> None:
    random_files(tmp_path / "rules", seed)
    good = "title: Any\nid: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11\nlogsource: {category: dns}\ndetection: {a: {b: c}, condition: a}\n"
    (tmp_path / "rules" / "good.yml").write_text(good)
    ran = insigma("eval", "rules", "--events", "-", "--json", cwd=tmp_path, stdin=b'{"b": "c"}\n\xff\xfe\n')
    assert_clean(ran, 3)
    assert json.loads(ran.lines[0])["matches"] == 1


def test_a_file_of_a_hundred_megabytes_is_not_read(pack: Path) -> None:
    huge = pack / "rules" / "claims" / "huge_file.yml"
    with huge.open("wb") as stream:
        stream.truncate(100 << 20)
    ran = spawn("check", cwd=pack, wrap=limited(400))
    assert_clean(ran, 2)
    assert list(findings(ran.out)) == [("rules/claims/huge_file.yml", 1, "INS002")]


def limited(megabytes: int) -> list[str]:
    """A prefix that runs a command with so much memory and no more."""
    script = (
        f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, ({megabytes << 20},) * 2); os.execv(sys.argv[1], sys.argv[1:])"
    )
    return [sys.executable, "-c", script]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (BOMB, "INS007"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "INS008"),
        ("{" * 200_000, "INS0"),
        ("title: " + "x" * (MAX_BYTES + 1), "INS002"),
        ("a: &a\n  b: *a\n", "INS0"),
        ("<<: &a {b: *a}\n", "INS0"),
    ],
    ids=["alias bomb", "deep", "deep and open", "huge scalar", "alias to itself", "merge of itself"],
)
def test_a_yaml_bomb_is_a_finding(text: str, code: str, pack: Path) -> None:
    (pack / "rules" / "claims" / "yaml_bomb.yml").write_text(text)
    ran = spawn("check", cwd=pack, wrap=limited(400))
    assert_clean(ran, 2)
    told = {(path, found) for path, _, found in findings(ran.out)}
    assert any(path == "rules/claims/yaml_bomb.yml" and found.startswith(code) for path, found in told)
    assert {path for path, _ in told} == {"rules/claims/yaml_bomb.yml"}


@pytest.mark.parametrize(
    "name",
    ["insigma.yml", "mappings/taxonomy/fields.yml", "mappings/targets/elastic.yml", "mappings/tenants/default.yml", FIXTURE, RESTRICTED],
)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"x",
        b"a: [",
        b"\xff",
        b"{}",
        b"tenant: 1\nlists: 2\nrules: 3\ncases: 4\nfields: 5\ntarget: 6\ndetection: 7\nname: 8\nrefusals: 9\n",
    ],
)
def test_any_file_of_a_pack_may_be_broken(name: str, content: bytes, pack: Path) -> None:
    (pack / name).write_bytes(content)
    for arguments in (["check"], ["test"], ["build"], ["show", "ins-clm-012", "-t", "elastic"], ["new", "claims/suspicious_new_thing"]):
        assert_clean(insigma(*arguments, cwd=pack), 0, 1, 2, 3)
    assert name in {path for path, _, _ in findings(insigma("check", name, cwd=pack).out)}


# --- files that are not there, not ours, or not to be read


def without_privileges() -> list[str]:
    """A prefix for root, who could otherwise read anything."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    prefix = [str(setpriv), "--inh-caps=-all", "--bounding-set=-all"]
    if setpriv is None or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("root reads every file, and setpriv is not there to give that up")
    return prefix


def test_an_unreadable_file_is_a_finding_and_the_rest_is_checked(pack: Path) -> None:
    edit(pack / BASE, "level: ", "level: very-")
    (pack / RESTRICTED).chmod(0)
    ran = spawn("check", "rules", cwd=pack, wrap=without_privileges())
    assert_clean(ran, 2)
    assert (RESTRICTED, 1, "INS001") in set(findings(ran.out))
    assert "Permission denied" in ran.out
    assert (BASE, "INS203") in {(path, code) for path, _, code in findings(ran.out)}


def test_an_unreadable_folder_is_a_finding(pack: Path) -> None:
    closed = pack / "rules" / "closed"
    closed.mkdir()
    closed.chmod(0)
    ran = spawn("check", cwd=pack, wrap=without_privileges())
    closed.chmod(0o755)
    assert_clean(ran, 2)
    assert list(findings(ran.out)) == [("rules/closed", 1, "INS001")]


def test_an_output_folder_that_may_not_be_written_to_is_told(pack: Path) -> None:
    closed = pack / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    ran = spawn("build", "--out", "closed/dist", cwd=pack, wrap=without_privileges())
    assert_clean(ran, 3)
    assert ran.err.startswith("insigma: closed/dist: Permission denied")
    assert list(closed.iterdir()) == []


@pytest.mark.parametrize("target", ["../outside.yml", "/etc/passwd", "../pack/../outside.yml"])
def test_a_link_out_of_the_pack_is_not_followed(target: str, pack: Path) -> None:
    (pack.parent / "outside.yml").write_text("secret: of somebody else\n")
    (pack / "rules" / "claims" / "linked_rule.yml").symlink_to(target if target.startswith("/") else Path("../..") / target)
    ran = insigma("check", cwd=pack)
    assert_clean(ran, 2)
    assert list(findings(ran.out)) == [("rules/claims/linked_rule.yml", 1, "INS011")]
    assert "secret" not in ran.out


def test_a_linked_folder_out_of_the_pack_is_not_followed(pack: Path) -> None:
    outside = pack.parent / "outside"
    outside.mkdir()
    (outside / "some_rule.yml").write_text("secret: of somebody else\n")
    (pack / "rules" / "linked").symlink_to(outside)
    ran = insigma("check", cwd=pack)
    assert_clean(ran, 2)
    assert list(findings(ran.out)) == [("rules/linked", 1, "INS011")]


def test_links_in_a_circle_and_to_nothing_are_findings(pack: Path) -> None:
    claims = pack / "rules" / "claims"
    (claims / "circle_one.yml").symlink_to("circle_two.yml")
    (claims / "circle_two.yml").symlink_to("circle_one.yml")
    (claims / "dangling_link.yml").symlink_to("not_there.yml")
    (pack / "rules" / "loop").symlink_to(".")
    for arguments in (["check"], ["check", "rules/claims/circle_one.yml"], ["check", "rules"]):
        ran = insigma(*arguments, cwd=pack)
        assert_clean(ran, 2)
        assert {code for _, _, code in findings(ran.out)} == {"INS001"}
    assert len(list(findings(insigma("check", cwd=pack).out))) == 3


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_what_is_no_plain_file_is_not_opened(kind: str, pack: Path) -> None:
    odd = pack / "rules" / "claims" / "odd_one.yml"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "folder":
        odd.mkdir()
    else:
        odd.symlink_to("/dev/zero")
    ran = spawn("check", cwd=pack)
    assert_clean(ran, 0 if kind == "folder" else 2)
    assert [code for _, _, code in findings(ran.out)] == {"pipe": ["INS001"], "folder": [], "device": ["INS011"]}[kind]


def test_a_file_name_that_is_not_text_is_told_and_nothing_is_built(pack: Path) -> None:
    shutil.move(pack / BASE, pack / os.fsdecode(b"rules/claims/denied_\xe9.yml"))
    ran = insigma("build", cwd=pack)
    assert_clean(ran, 1)
    assert {code for _, _, code in findings(ran.out)} == {"INS219"}
    assert "the name of the file is not UTF-8" in ran.out
    assert not (pack / "dist").exists()


# --- a build that is cut short


@pytest.fixture
def built(pack: Path) -> tuple[Path, dict[str, bytes], dict[str, bytes]]:
    """A pack with an old dist/, the files of that, and those that the next build will give."""
    assert insigma("build", cwd=pack).code == 0
    old = files_of(pack / "dist")
    edit(pack / RESTRICTED, "title: Suspicious", "title: SUSPICIOUS")
    assert insigma("build", "--out", pack.parent / "expected", cwd=pack).code == 0
    new = files_of(pack.parent / "expected")
    assert old != new
    return pack, old, new


MOMENTS = {
    "while checking": "insigma.checks.runner._run",
    "while testing": "insigma.cli.test_command.run_fixture",
    "while compiling": "insigma.release.outcomes._outcome",
    "before writing": "insigma.cli.build_command.tree",
    "while writing": "insigma.release.writer._write",
    "before the exchange": "insigma.release.writer._exchange",
}
AT = """
import importlib, os, signal, sys
module, name, number, sign = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
import insigma.cli.build_command
owner = importlib.import_module(module)
original, calls = getattr(owner, name), iter(range(1_000_000))
def hooked(*arguments, **named):
    if next(calls) == number:
        os.kill(os.getpid(), sign)
    return original(*arguments, **named)
setattr(owner, name, hooked)
sys.argv = ["insigma", "build"]
from insigma.cli.main import main
main()
"""


def cut(place: str, number: int, sign: signal.Signals, cwd: Path) -> Ran:
    """A build that is sent a signal when a function is called for the so-and-so-many-th time."""
    module, _, name = place.rpartition(".")
    ran = subprocess.run(
        [sys.executable, "-c", AT, module, name, str(number), str(int(sign))],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_leaves_the_old_dist_and_nothing_else(moment: str, built: tuple[Path, dict[str, bytes], dict[str, bytes]]) -> None:
    pack, old, _ = built
    for number in (0, 5) if moment in ("while compiling", "while writing") else (0,):
        ran = cut(MOMENTS[moment], number, signal.SIGINT, pack)
        assert_clean(ran, 130)
        assert ran.out == ""
        assert ran.err.strip() == "insigma: interrupted; nothing was left half-written"
        assert files_of(pack / "dist") == old
        assert siblings(pack / "dist") == []


def test_ctrl_c_while_the_old_dist_is_cleared_leaves_the_new_one(built: tuple[Path, dict[str, bytes], dict[str, bytes]]) -> None:
    pack, _, new = built
    ran = cut("shutil.rmtree", 0, signal.SIGINT, pack)
    assert_clean(ran, 130)
    assert files_of(pack / "dist") == new
    assert siblings(pack / "dist") == []


@pytest.mark.parametrize("tenths", range(1, 12, 2))
def test_ctrl_c_at_any_time_leaves_a_whole_dist(tenths: int, built: tuple[Path, dict[str, bytes], dict[str, bytes]]) -> None:
    pack, old, new = built
    script = "from insigma.cli.main import main; print('ready', flush=True); main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, "build"], cwd=pack, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(tenths / 10)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (130, 0)
    assert "Traceback" not in errors
    assert files_of(pack / "dist") in ((old,) if process.returncode else (old, new))
    assert siblings(pack / "dist") == []


@pytest.mark.parametrize("moment", ["while compiling", "while writing", "before the exchange"])
def test_after_a_kill_the_old_dist_is_whole_and_the_next_build_clears_up(
    moment: str, built: tuple[Path, dict[str, bytes], dict[str, bytes]]
) -> None:
    pack, old, new = built
    assert cut(MOMENTS[moment], 3 if moment == "while writing" else 0, signal.SIGKILL, pack).code == -signal.SIGKILL
    assert files_of(pack / "dist") == old
    assert insigma("build", cwd=pack).code == 0
    assert files_of(pack / "dist") == new
    assert siblings(pack / "dist") == []


def test_a_kill_after_the_exchange_leaves_the_new_dist_whole(built: tuple[Path, dict[str, bytes], dict[str, bytes]]) -> None:
    pack, _, new = built
    assert cut("shutil.rmtree", 0, signal.SIGKILL, pack).code == -signal.SIGKILL
    assert files_of(pack / "dist") == new
    assert insigma("build", cwd=pack).code == 0
    assert siblings(pack / "dist") == []


# --- a disk that is full

ON_TINY_DISK = """
set -e
mount -t tmpfs -o size=2m,mode=755 insigma-test "$1"
"$2" -m insigma build --out "$1/dist" >"$1/said"
cp -r "$1/dist" "$3"
mv "$4" "$5"
dd if=/dev/zero of="$1/filler" bs=4096 2>/dev/null || true
truncate -s -80K "$1/filler"
set +e
"$2" -m insigma build --out "$1/dist"
echo "exit $?"
ls -A "$1"
diff -r "$1/dist" "$3" && echo same
"""


def test_a_full_disk_leaves_the_old_dist_whole(pack: Path, tmp_path: Path) -> None:
    namespace = [] if os.geteuid() == 0 else ["-r"]
    probe = ["unshare", *namespace, "-m", "mount", "-t", "tmpfs", "none", str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here; test_a_file_that_may_not_grow_... stands in")
    disk, new_rule = tmp_path / "disk", tmp_path / "new.yml"
    disk.mkdir()
    new_rule.write_text((pack / RESTRICTED).read_text().replace("title: ", "title: New ", 1))
    script = [
        "unshare",
        *namespace,
        "-m",
        "sh",
        "-c",
        ON_TINY_DISK,
        "sh",
        disk,
        sys.executable,
        tmp_path / "kept",
        new_rule,
        pack / RESTRICTED,
    ]
    ran = subprocess.run(list(map(str, script)), cwd=pack, env=environment(), capture_output=True, text=True, check=False)
    assert ran.stdout.splitlines() == ["exit 3", "dist", "filler", "said", "same"], ran.stderr
    assert ran.stderr.startswith(f"insigma: {disk}/dist: No space left on device\n")
    assert "Traceback" not in ran.stderr


def test_a_file_that_may_not_grow_leaves_the_old_dist_whole(built: tuple[Path, dict[str, bytes], dict[str, bytes]]) -> None:
    pack, old, _ = built
    ran = subprocess.run(
        command("build"),
        cwd=pack,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000)),
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    assert ran.stderr.startswith("insigma: dist: File too large\n")
    assert files_of(pack / "dist") == old
    assert siblings(pack / "dist") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's")
@pytest.mark.parametrize("arguments", [["explain"], ["check", "--format", "sarif"]])
def test_output_to_a_full_disk_is_told(arguments: list[str], pack: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command(*arguments), cwd=pack, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 3
    assert ran.stderr.startswith("insigma: standard output: No space left on device")
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


# --- text that would be code in a query or a .conf file

VALUES = [
    'a" | delete',
    "a' | delete",
    'a\\" | delete "',
    "a\\",
    'a\\\\" | delete',
    "a\n[everything]\nsearch = | delete",
    "a\r\n| delete",
    "a` | delete `b",
    "$result.user$ | delete",
    "a*) OR (b:*",
    '") OR 1==1 OR ("',
    '""" OR true OR """',
    "a /* | delete */ // b",
    "{{#context}} %{x} ${x}",
    "a\u2028| delete",
    "a\u3000OR\u3000b:*",
    "ünïcode “quotes” | delete",
]
TARGETS = ("elastic", "splunk")
MODIFIERS = ("", "|contains", "|startswith", "|endswith", "|contains|all", "|expand")


def skeleton(path: str, text: str, hostile: Sequence[str]) -> object:
    """What a file is made of once the strings are taken out of it."""
    if path.endswith(".json"):
        return shape(json.loads(text))
    if path.endswith(".conf"):
        joined = text.replace("\\\n", "")
        return [line if line.startswith("[") else line.partition("=")[0] for line in joined.splitlines()]
    if path.endswith(".lucene"):
        # A term: escaped characters and what is no syntax; a phrase: anything in quotes.
        return re.sub(r"\s+", " ", re.sub(r'"(?:\\.|[^"\\])*"|(?:\\.|[^ \t\n\r\u3000"()\[\]{}:\\])+', "t", text, flags=re.DOTALL))
    stripped = re.sub(r'"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', "s", text, flags=re.DOTALL)
    # Splunk compares with `=` or by a pattern, whichever says the value: one test either way.
    return re.sub(r"\s+", " ", re.sub(r"match\(s, s\)|lower\(s\)=s", "test", stripped))


def shape(value: object) -> object:
    """The keys and kinds of a JSON value."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return type(value).__name__


def hostile_pack(pack: Path, modifier: str, value: str) -> Path:
    """The pack with a value in a rule that changes no fixture's outcome, as text or as an entry of a list."""
    written = json.dumps(value)
    if modifier == "|expand":
        edit(
            pack / "mappings" / "tenants" / "default.yml",
            "\nlists:\n",
            f"\nlists:\n  hostile_list:\n    mode: inline\n    values: [{written}]\n",
        )
        written = "'%hostile_list%'"
    addition = f"  extra:\n    user_agent.original{modifier}: {'[' + written + ']' if modifier.endswith('all') else written}\n"
    edit(pack / RESTRICTED, "  condition: ", f"{addition}  condition: extra or ")
    if "user_agent.original" not in (pack / RESTRICTED).read_text().split("fields:")[1]:
        edit(pack / RESTRICTED, "fields:\n", "fields:\n  - user_agent.original\n")
    return pack


@pytest.mark.parametrize("modifier", MODIFIERS)
def test_a_value_never_leaves_its_string(modifier: str, tmp_path: Path) -> None:
    slug = Path(RESTRICTED).stem
    harmless: dict[str, object] = {}
    for number, value in enumerate(["harmless", *VALUES]):
        (tmp_path / str(number)).mkdir()
        pack = hostile_pack(small_pack(tmp_path / str(number)), modifier, value)
        ran = insigma("build", "-t", "elastic", "-t", "splunk", cwd=pack)  # Sentinel: tests/injection
        rows = {
            row["target"]: row for row in json.loads((pack / "dist" / "ledger.json").read_text())["rows"] if row["rule"] == "ins-clm-010"
        }
        assert set(rows) == set(TARGETS)
        assert ran.code == (2 if any(row["outcome"] == "refused" for row in rows.values()) else 0 if ran.code == 0 else 1)
        files = {
            path: text.decode() for path, text in files_of(pack / "dist").items() if f"/{slug}." in path and not path.startswith("ledger")
        }
        assert bool(files) or all(row["outcome"] == "refused" for row in rows.values())
        for path, text in files.items():
            made = skeleton(path, text, VALUES)
            if value == "harmless":
                harmless[path] = made
            elif path in harmless:
                assert made == harmless[path], (path, value, text)
            else:
                assert rows["elastic"]["language"] != "lucene", "another language was needed, whose files have another suffix"


@pytest.mark.parametrize("target", [*TARGETS, "pysigma:splunk", "pysigma:lucene", "pysigma:eql", "pysigma:esql"])
def test_the_command_of_another_never_stands_outside_of_a_string(target: str, pack: Path) -> None:
    hostile_pack(pack, "|contains", 'a" | delete')
    ran = insigma("show", RESTRICTED, "-t", target, "--part", "query", cwd=pack)
    assert_clean(ran, 0, 2)
    outside = re.sub(r'\\.|"(?:\\.|[^"\\])*"', "", ran.out, flags=re.DOTALL)
    assert '"' not in outside
    if not target.endswith("lucene") and target != "elastic":  # there it is part of an unquoted term, blanks escaped
        assert "delete" not in outside


@pytest.mark.parametrize(
    "title", ["One\n[everything]\nsearch = | delete", "One]\n", "One\u2028Two", "One\x1b[2J", 'One" | delete', "[One] = \\"]
)
def test_a_title_is_refused_or_stays_on_its_line(title: str, pack: Path) -> None:
    edit(
        pack / RESTRICTED,
        next(line for line in (pack / RESTRICTED).read_text().splitlines() if line.startswith("title:")),
        f"title: {json.dumps(title)}",
    )
    ran = insigma("build", cwd=pack)
    assert_clean(ran, 0, 1, 2)
    if any(ord(char) < 32 or char == "\u2028" for char in title):
        assert "INS201" in {code for _, _, code in findings(ran.out)}
        assert not (pack / "dist").exists()
    for target in TARGETS:
        shown = insigma("show", RESTRICTED, "-t", target, "--part", "native", cwd=pack)
        assert_clean(shown, 0, 2)
        if target == "elastic" and shown.code == 0:
            assert json.loads(shown.out)["name"]
        if target == "splunk" and shown.code == 0:
            assert [line[0] for line in shown.out.replace("\\\n", "").splitlines()].count("[") == 1
            assert all(line.startswith("[") or re.match(r"[\w.]+ = ", line) for line in shown.out.replace("\\\n", "").splitlines())
    if (pack / "dist").exists():
        conf = (pack / "dist" / "splunk" / "savedsearches.conf").read_text().replace("\\\n", "")
        rows = json.loads((pack / "dist" / "ledger.json").read_text())["rows"]
        compiled = sum(row["target"] == "splunk" and row["outcome"] == "compiled" for row in rows)
        assert sum(line.startswith("[") for line in conf.splitlines()) == compiled >= 2
        page = (pack / "dist" / "ledger.md").read_text().splitlines()
        assert sum(line.startswith("| ins-clm-") for line in page) == len(rows) == 9


NAMES = [
    'user.name" | delete "',
    "user.name' OR '1",
    "user.name`",
    "user name",
    "user.name\n| delete",
    "user.name) BY (x",
    "$user$",
    "user.name| delete",
]


def each_place(folder: Path, name: str) -> Iterator[tuple[str, Callable[[], None]]]:
    """Where a field's name may stand."""
    written = json.dumps(name)
    yield "group-by", lambda: edit(folder / COUNT, "    - user.name\n", f"    - {written}\n")
    yield "detection", lambda: edit(folder / BASE, "  selection:\n", f"  selection:\n    {json.dumps(name.replace('|', '/'))}: x\n")
    yield "fields", lambda: edit(folder / BASE, "fields:\n", f"fields:\n  - {written}\n")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["group-by", "detection", "fields"])
def test_a_field_name_with_syntax_in_it_is_a_fault_and_in_no_query(place: str, name: str, pack: Path) -> None:
    dict(each_place(pack, name))[place]()
    ran = insigma("build", cwd=pack)
    assert_clean(ran, 1, 2)
    assert {code for _, _, code in findings(ran.out)} & {"INS217", "INS302", "INS103", "INS102"}
    assert not (pack / "dist").exists()
    for target in TARGETS:
        path = COUNT if place == "group-by" else BASE
        shown = insigma("show", path, "-t", target, "--part", "query", cwd=pack)
        assert_clean(shown, 0, 2)
        if place != "fields":
            assert (shown.code, shown.out) == (2, ""), shown.out


@pytest.mark.parametrize("target", TARGETS)
def test_a_loose_rule_cannot_smuggle_a_field_name_either(target: str, tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        rule = {
            "title": "Any", "id": "8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11", "logsource": {"category": "authentication"},
            "detection": {"a": {name: "x"}, "condition": "a"},
        }  # fmt: skip
        (tmp_path / f"rule_{number}.yml").write_text(json.dumps(rule))
    ran = insigma("show", ".", "-t", target, "--part", "query", cwd=tmp_path)
    assert_clean(ran, 2)
    assert "delete" not in ran.out
    kept = {f"rule_{number}.yml" for number in range(len(NAMES))} - {path for path, _, _ in findings(ran.err)}
    assert kept <= {f"rule_{NAMES.index('user name')}.yml"}, "a blank alone can be quoted"
