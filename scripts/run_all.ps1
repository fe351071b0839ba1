# Installs what is missing and runs `kitsu` with the same arguments. Everything is in bootstrap.py.
python "$PSScriptRoot\bootstrap.py" @args
exit $LASTEXITCODE
