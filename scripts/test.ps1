# Sets up and runs every check and test; `--long` runs the long ones too. Everything is in bootstrap.py.
python "$PSScriptRoot\bootstrap.py" test @args
exit $LASTEXITCODE
