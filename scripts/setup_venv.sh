#!/bin/sh
# Makes .venv once, with pinned and hashed packages, and this project in it. Does nothing if .venv is up to date.
#
# The stamp holds what .venv was made of: the lock, pyproject.toml, the folder (a copied .venv would run the sources it
# was copied from) and the Python that was asked for. It is written last, so a failed set-up leaves none.
# Exit codes: 0 ready, 3 something is missing on this machine.
set -u
unset PYTHONHOME PYTHONPATH

cd -- "$(dirname -- "$0")/.." || exit 3
here=$(pwd -P)
stamp=.venv/insigma-stamp
log=.venv/install.log

fail() {
    printf 'insigma: %s\n' "$1" >&2
    exit 3
}

wanted() {
    cksum requirements.lock pyproject.toml && printf '%s\n' "$here"
}

# Whether .venv was made of what stands here now, and its Python still runs.
is_ready() {
    [ -f "$stamp" ] || return 1
    [ "$(sed '$d' "$stamp")" = "$now" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$(tail -n 1 "$stamp")" = "python ${PYTHON}" ] || return 1
    .venv/bin/python -c '' 2>/dev/null
}

# What a Python lacks: nothing, "version", "venv" or (a broken shim, or no program) "run".
lacks() {
    "$1" -I -c '
import sys
if sys.version_info < (3, 11):
    print("version")
else:
    try:
        import ensurepip, venv
    except ImportError:
        print("venv")
' 2>/dev/null || echo run
}

find_python() {
    without_venv=
    for candidate in ${PYTHON:+"$PYTHON"}; do
        case $(lacks "$candidate") in
            '') python=$candidate; return ;;
            version) fail "PYTHON=$candidate is older than Python 3.11" ;;
            venv) fail "PYTHON=$candidate has no venv module (on Debian and Ubuntu: apt install python3-venv)" ;;
            *) fail "PYTHON=$candidate does not run" ;;
        esac
    done
    for candidate in python3.14 python3.13 python3.12 python3.11 python3; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        case $(lacks "$candidate") in
            '') python=$candidate; return ;;
            venv) without_venv=${without_venv:-$candidate} ;;
        esac
    done
    [ -z "$without_venv" ] || fail "$without_venv has no venv module (on Debian and Ubuntu: apt install python3-venv)"
    fail "no Python 3.11 or later on PATH; install one, or name it with PYTHON=/path/to/python3"
}

# Runs pip, keeping its output in the log and showing a line for every ten packages.
install() {
    {
        .venv/bin/python -I -m pip install --disable-pip-version-check --no-input --progress-bar off "$@" 2>&1
        echo "exit $?"
    } | tee -a "$log" | awk -v total="$(grep -c '^[a-z0-9].*==' requirements.lock)" '
        /^Collecting/ { n++; if (n % 10 == 0) { printf "  %d of %d packages\n", n, total; fflush() } }
        /^Installing collected packages/ && n > 1 { print "  unpacking"; fflush() }'
    [ "$(tail -n 1 "$log")" = "exit 0" ]
}

now=$(wanted) || fail "requirements.lock or pyproject.toml is missing"
is_ready && exit 0

find_python
shown=$("$python" -I -c 'import platform; print(platform.python_version())')
rm -f "$stamp"
printf 'insigma: setting up .venv with Python %s (%s); this happens once\n' "$shown" "$python"
"$python" -I -m venv --clear .venv || fail "'$python -m venv .venv' failed"
: >"$log"
if ! install --require-hashes -r requirements.lock || ! install --no-deps --no-build-isolation -e .; then
    grep -v '^exit ' "$log" | tail -n 15 >&2
    fail "installing the packages failed; the whole output is in $log"
fi
printf '%s\npython %s\n' "$now" "${PYTHON:-}" >"$stamp"
printf 'insigma: .venv is ready\n'
