#!/bin/sh
# Sets up and runs every check and test; `--long` runs the long ones too. Everything is in bootstrap.py.
exec "$(dirname -- "$0")/run_all.sh" test "$@"
