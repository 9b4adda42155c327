#!/bin/sh
# Has Splunk AppInspect look at app packages: scripts/appinspect.sh APP.tar.gz...
#
# AppInspect pins old packages, so it lives in an environment of its own, .engines/appinspect (or below INSIGMA_ENGINES). The first
# run sets it up, from PyPI; that is the only part that uses the network. `--install` does that and no more.
# Every check of every tag is made (--mode precert). What AppInspect says is kept in .engines/appinspect/reports/<app>.json; shown
# is whatever is neither success nor not applicable. Warnings are shown and do not fail.
# libmagic: the system's, else the one in the pylibmagic wheel, so root is not needed.
# Exit codes: 0 nothing found, 1 an error or failure, 2 usage, 3 something is missing on this machine.
set -u
unset PYTHONHOME PYTHONPATH

fail() {
    printf 'appinspect: %s\n' "$1" >&2
    exit "${2:-3}"
}

[ $# -gt 0 ] || fail 'usage: scripts/appinspect.sh [--install] APP.tar.gz...' 2
for app in "$@"; do
    [ "$app" = --install ] || [ -f "$app" ] || fail "no such file: $app" 2
done

here=$(cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 3
home=${INSIGMA_ENGINES:-$here/.engines}/appinspect
python=$home/bin/python
stamp=$home/insigma-stamp

requirements() {
    cat <<'END'
beautifulsoup4==4.10.0
chardet==3.0.4
click==8.5.1
croniter==1.4.1
defusedxml==0.7.1
Jinja2==3.1.6
lxml==5.4.0
Mako==1.4.3
Markdown==3.11.3
MarkupSafe==3.0.4
packaging==26.3
packaging-legacy==23.0
painter==0.3.1
pylibmagic==0.5.0; sys_platform == "linux"
python-dateutil==4.0.0
python-magic==0.4.24
PyYAML==6.0.3
semver==3.1.1
soupsieve==4.1.2
splunk-appinspect==4.3.1
structlog==24.4.0
tzdata==2026.6
END
}

wanted=$(requirements | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || ! "$python" -c '' 2>/dev/null; then
    base=${PYTHON:-$here/.venv/bin/python}
    "$base" -c '' 2>/dev/null || base=python3
    printf 'appinspect: setting up %s; this happens once\n' "$home" >&2
    rm -rf "$home" && mkdir -p "$home" || fail "cannot write $home"
    "$base" -m venv "$home" || fail "'$base -m venv' failed"
    requirements >"$home/requirements.txt"
    "$python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps -r "$home/requirements.txt" >&2 ||
        fail 'installing the packages failed'
    printf '%s\n' "$wanted" >"$stamp"
fi

# The wheel's libmagic, where the system has none.
if ! "$python" -c 'import magic' 2>/dev/null; then
    lib=$("$python" -c 'import importlib.util as u, pathlib as p; print(p.Path(u.find_spec("pylibmagic").origin).parent)' 2>/dev/null) ||
        fail 'libmagic is missing (Debian and Ubuntu: libmagic1; Homebrew: libmagic)'
    LD_LIBRARY_PATH=$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} MAGIC=$lib/magic.mgc
    export LD_LIBRARY_PATH MAGIC
    "$python" -c 'import magic' 2>/dev/null || fail 'libmagic is missing, and the one of pylibmagic does not load'
fi

mkdir -p "$home/reports" || fail "cannot write $home/reports"
worst=0
for app in "$@"; do
    [ "$app" = --install ] && continue
    report=$home/reports/$(basename -- "$app").json
    rm -f "$report"
    "$home/bin/splunk-appinspect" inspect "$app" --mode precert --data-format json --output-file "$report" >"$report.log" 2>&1
    [ -s "$report" ] || { tail -n 15 "$report.log" >&2; fail "AppInspect gave no report of $app"; }
    "$python" - "$app" "$report" <<'END' || worst=1
import json
import sys

app, report = sys.argv[1:]
with open(report, encoding="utf-8") as file:
    found = json.load(file)
for part in found["reports"]:
    for group in part["groups"]:
        for check in group["checks"]:
            if check["result"] not in ("success", "not_applicable"):
                said = "; ".join(" ".join(message["message"].split()) for message in check["messages"])
                print(f"{app}: {check['result']}: {check['name']}: {said}")
summary = found["summary"]
print(f"{app}: " + ", ".join(f"{count} {name}" for name, count in sorted(summary.items())))
bad = sum(summary.get(name, 0) for name in ("error", "failure", "future_failure"))
sys.exit(1 if bad or not summary.get("success") else 0)
END
done
exit "$worst"
