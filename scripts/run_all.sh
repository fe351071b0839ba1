#!/bin/sh
# Installs what is missing and runs `kitsu` with the same arguments. Everything is in bootstrap.py.
command -v python3 >/dev/null || { echo "Kitsu needs Python. Run: sudo apt-get install python3 python3-venv" >&2; exit 5; }
exec python3 "$(dirname -- "$0")/bootstrap.py" "$@"
