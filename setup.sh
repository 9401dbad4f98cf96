#!/bin/sh
# Makes .venv from requirements.lock, or completes it. Quick when there is nothing to do; an interrupted run is simply
# run again. Every `./unmoor` runs it, and a deployment runs several at once, so one works and the others wait.
set -eu
cd "$(dirname "$0")"

stamp=.venv/.made
wanted="$(cksum < requirements.lock) $(pwd -P)"
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

# The lock holds packages that have no wheels for Python 3.14 yet.
fits='import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
for python in ${PYTHON:-python3 python3.13 python3.12 python3.11} none; do
    [ "$python" = none ] && break
    "$python" -c "$fits" 2>/dev/null && break
done
if [ "$python" = none ]; then
    echo "Python 3.11, 3.12 or 3.13 is needed and is not on PATH; install it, or name it: make PYTHON=/path/to/python3" >&2
    exit 1
fi

if [ "${UNMOOR_SETUP_LOCKED:-}" != "$(pwd -P)" ]; then
    UNMOOR_SETUP_LOCKED=$(pwd -P) exec "$python" -c 'import fcntl, os, sys
lock = os.open(".venv.lock", os.O_CREAT | os.O_RDWR, 0o644)
fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.execv("/bin/sh", ["sh", "./setup.sh"])'
fi

log=.venv/setup.log
failed() {
    echo "$1 failed: $(tail -n 1 "$log"); see $(pwd)/$log" >&2
    exit 1
}

# A virtual environment that was moved, whose Python is gone, or that nothing can be installed into is of no use.
if ! .venv/bin/python -c "import sys; sys.exit(sys.version_info < (3, 11) or sys.prefix != '$(pwd -P)/.venv')" 2>/dev/null \
    || ! { [ -x .venv/bin/uv ] || .venv/bin/python -m pip --version >/dev/null 2>&1; }
then
    echo "setup: making .venv ($("$python" --version))" >&2
    "$python" -m venv --clear .venv >&2 || { echo "$python cannot make a virtual environment here" >&2; exit 1; }
fi

if ! [ -x .venv/bin/uv ]; then
    echo "setup: installing uv" >&2
    sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements.lock > .venv/uv.txt
    .venv/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r .venv/uv.txt > "$log" 2>&1 \
        || failed "installing uv"
fi

echo "setup: installing $(grep -c == requirements.lock) packages into .venv, once; a minute or two" >&2
.venv/bin/uv pip sync --system-certs --quiet --require-hashes --compile-bytecode --python .venv/bin/python \
    requirements.lock > "$log" 2>&1 \
    || failed "installing the packages"

# `components` and `sandbox` are imported from here, from any folder. The file is ASCII whatever the folder is called:
# Python up to 3.12 reads it as the locale has it, and one that it cannot read ends every command.
.venv/bin/python -c 'import os, pathlib, site, sys
line = f"import os, sys; sys.path.append(os.fsdecode({os.fsencode(sys.argv[1])!r}))\n"
pathlib.Path(site.getsitepackages()[0], "unmoor.pth").write_text(line, encoding="ascii")' "$(pwd -P)"

echo "$wanted" > "$stamp"
