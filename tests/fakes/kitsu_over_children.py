"""The `kitsu` command with test children for services: `KITSU_TEST_CHILDREN="a=healthy b=deaf"`."""

import os
import sys

import kitsu_cli.launching
from kitsu_cli.__main__ import main

kitsu_cli.launching.COMMAND = (
    sys.executable,
    "-m",
    "tests.fakes.launch",
    *os.environ["KITSU_TEST_CHILDREN"].split(),
    "--",
)
sys.exit(main())
