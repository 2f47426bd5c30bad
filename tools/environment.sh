#!/usr/bin/env bash
# Make the environment and install the course into it. Usage: environment.sh PYTHON VENV
set -euo pipefail
python="$1" venv="$2"

"$python" - <<'PY' || { echo "Python 3.11 or newer is needed: install it, or name it with 'make PYTHON=python3.12 …'." >&2; exit 1; }
import sys
print(f"Python {sys.version.split()[0]}")
sys.exit(sys.version_info < (3, 11))
PY

# Debian and Ubuntu keep venv's installer in a package of its own.
if ! "$python" -c "import ensurepip, venv" 2>/dev/null; then
    bash "$(dirname "$0")/system_packages.sh" "ensurepip:python3-venv:$python -c 'import ensurepip, venv'"
    "$python" -c "import ensurepip, venv" 2>/dev/null || { echo "Install the package python3-venv and run make again." >&2; exit 1; }
fi

if [ ! -x "$venv/bin/python" ]; then
    echo "Creating the environment in $venv …"
    "$python" -m venv "$venv"
fi
echo "Installing the course and its pinned packages (a few minutes the first time) …"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
touch "$venv/.ready"
echo "The environment is ready."
