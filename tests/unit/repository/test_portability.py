"""What runs on one system only stands in a branch on `sys.platform`; text files are read with an encoding."""

import ast
from pathlib import Path

import pytest

from tests.unit.repository.files import name, python_files
from tests.unit.repository.portability import unguarded

SOURCES = python_files("apps", "libs", "scripts")


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_stands_outside_its_branch(path: Path) -> None:
    assert unguarded(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_text_is_read_and_written_with_an_encoding(path: Path) -> None:
    """Without one, Windows takes the code page of the country."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    named = [call for call in calls if any(word.arg == "encoding" for word in call.keywords)]
    assert [call.lineno for call in calls if _opens_text(call) and call not in named] == []


def _opens_text(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    if called.endswith((".read_text", ".write_text")):
        return True
    if "os.devnull" in map(ast.unparse, call.args):
        return False
    texts = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    modes = [text for text in texts if isinstance(text, str) and text.strip("rwaxbt+") == ""]
    return called == "open" and not any("b" in mode for mode in modes)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.kill(1, 9)",
        "import fcntl",
        "from signal import SIGKILL",
        "import signal\nsignal.SIGKILL",
        "loop.add_signal_handler(15, stop)",
        "Popen(x, start_new_session=True)",
        "options = {'start_new_session': True}",
        "import msvcrt",
        "Popen(x, creationflags=8)",
        "open('/tmp/x', 'rb')",
        "import sys\nif sys.platform == 'win32':\n    import fcntl",
        "import sys\nif sys.platform != 'win32':\n    pass\nelse:\n    os.fork()",
        "import sys\ndef f():\n    if sys.platform != 'win32':\n        return\n    os.fork()",
        "x = os.getuid() if sys.platform == 'win32' else 0",
    ],
)
def test_the_checker_sees(source: str) -> None:
    assert unguarded(source)


@pytest.mark.parametrize(
    "source",
    [
        "import sys\nif sys.platform != 'win32':\n    import fcntl\n    def f():\n        fcntl.flock(1, 2)",
        "import sys\nif sys.platform == 'win32':\n    import msvcrt\nelse:\n    import fcntl",
        "import sys\ndef f():\n    if sys.platform == 'win32':\n        return 1\n    return os.getuid()",
        "x = 0 if sys.platform == 'win32' else os.getuid()",
        "x = sys.platform != 'win32' and os.getuid()",
        "if sys.platform != 'win32' and os.getuid() == 0:\n    pass",
        "import signal\nsignal.SIGINT",
    ],
)
def test_the_checker_lets_pass(source: str) -> None:
    assert unguarded(source) == []
