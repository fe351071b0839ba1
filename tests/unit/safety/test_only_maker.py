"""`Approved` comes from the gate alone. Found by reading the code, and by asking mypy at the exits."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from kitsu import protocol
from kitsu.config import CHECKOUT

MAKERS = (Path("libs/kitsu/safety"), Path("libs/kitsu/protocol"))
SEALED_FIELDS = {"seal", "surface"}
DECODERS = {"convert", "decode", "Decoder"}


def sealed_names() -> set[str]:
    """Names of the structs that hold `Approved` text, at any depth; decoding into one would make it from raw data."""
    structs = [
        value for value in vars(protocol).values() if isinstance(value, type) and issubclass(value, msgspec.Struct)
    ]
    names = {"Approved"}
    while True:
        more = {struct.__name__ for struct in structs if _mentions(struct, names)} - names
        if not more:
            return names | {"AnyMessage"}
        names |= more


def _mentions(struct: type[msgspec.Struct], names: set[str]) -> bool:
    def inside(kind: Any) -> bool:
        origin = getattr(kind, "__origin__", None)
        return any(getattr(known, "__name__", "") in names for known in (kind, origin)) or any(
            map(inside, get_args(kind))
        )

    return any(inside(field.type) for field in msgspec.structs.fields(struct))


SEALED = sealed_names()


class Finder(ast.NodeVisitor):
    """Every way in which a module could get hold of an `Approved` that the gate did not make."""

    def __init__(self) -> None:
        self.found: list[tuple[int, str]] = []

    def visit(self, node: ast.AST) -> None:
        """Annotations may name Approved: skip them."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._function(node)
        else:
            super().visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id == "Approved":
            self._note(node, "uses Approved as a value")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "Approved":
            self._note(node, "uses Approved as a value")
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for name in node.names:
            if name.name == "Approved" and name.asname not in (None, "Approved"):
                self._note(node, "imports Approved under another name")
            if name.name == "seal" and (node.module or "").startswith("kitsu.protocol"):
                self._note(node, "imports the seal's function")

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        if name in DECODERS and any(_name(part) in SEALED for argument in arguments for part in ast.walk(argument)):
            self._note(node, "decodes raw data into a struct that holds Approved text")
        if name in ("replace", "force_setattr") and any(keyword.arg in SEALED_FIELDS for keyword in node.keywords):
            self._note(node, "changes sealed text")
        if name == "force_setattr":
            self._note(node, "writes to a frozen struct")
        if name in ("cast",) and any(_name(part) == "Approved" for part in ast.walk(node)):
            self._note(node, "casts to Approved")
        self.generic_visit(node)

    def _note(self, node: ast.stmt | ast.expr, what: str) -> None:
        self.found.append((node.lineno, what))


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _name(value)
        case ast.Constant(value=str(text)):
            return text.partition("[")[0]
    return ""


def findings(source: str) -> list[tuple[int, str]]:
    finder = Finder()
    finder.visit(ast.parse(source))
    return finder.found


def modules() -> Iterator[Path]:
    for root in ("apps", "libs"):
        for path in sorted((CHECKOUT / root).rglob("*.py")):
            inside = path.relative_to(CHECKOUT)
            if not any(inside.is_relative_to(maker) for maker in MAKERS):
                yield path


def test_nobody_else_makes_approved_text() -> None:
    paths = list(modules())
    assert len(paths) > 10
    found = [
        f"{path.relative_to(CHECKOUT)}:{line}: {what}"
        for path in paths
        for line, what in findings(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_in_the_protocol_only_the_decoder_of_frames_makes_them() -> None:
    for path in sorted((CHECKOUT / "libs/kitsu/protocol").rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not [call for call in calls if _name(call.func) == "Approved"], path
        assert path.name == "frames.py" or not [call for call in calls if _name(call.func) in DECODERS], path


def test_in_the_gate_one_function_makes_them() -> None:
    makers = []
    for path in sorted((CHECKOUT / "libs/kitsu/safety").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        makers += [
            f"{path.name}:{function.name}"
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            and any(isinstance(node, ast.Call) and _name(node.func) == "Approved" for node in ast.walk(function))
        ]
    assert makers == ["gate.py:_approve"]


@pytest.mark.parametrize(
    "source",
    [
        "from kitsu.protocol import Approved\nx = Approved(text='a', surface='speech', turn_id='t', seal='s')",
        "from kitsu.protocol import Approved\nx = Approved[Speech](text='a')",
        "from kitsu import protocol\nx = protocol.Approved(text='a')",
        "from kitsu.protocol import Approved as Fine",
        "from kitsu.protocol import Approved\nmake = Approved",
        "from kitsu.protocol import Approved\nclass Mine(Approved): ...",
        "from kitsu.protocol.approved import seal",
        "import msgspec\nmsgspec.convert({}, Approved)",
        "import msgspec\nmsgspec.convert({}, TtsSynthesize)",
        "import msgspec\nmsgspec.json.decode(b'', type=PlayoutCaption)",
        "import msgspec\nd = msgspec.json.Decoder(list[Segment])",
        "import msgspec\nd = msgspec.msgpack.Decoder(AnyMessage)",
        "import msgspec\nmsgspec.structs.replace(approved, text='a', seal='b')",
        "import msgspec\nmsgspec.structs.force_setattr(approved, 'text', 'a')",
        "from typing import cast\nx = cast('Approved[Speech]', thing)",
        "def f(x=Approved): ...",
    ],
)
def test_the_finder_finds(source: str) -> None:
    assert findings(source)


def test_the_finder_lets_types_be() -> None:
    assert not findings("from kitsu.protocol import Approved\ndef f(x: Approved[Speech]) -> Approved[Caption]: ...\n")
    assert not findings("class A:\n    x: Approved[Speech] | None = None\n")
    assert not findings("msgspec.structs.replace(message, source='tts')\nmsgspec.json.decode(b'', type=Settings)")


def test_every_message_that_holds_approved_text_is_known() -> None:
    assert {"TtsSynthesize", "PlayoutCaption", "TurnStarted", "TurnSegment", "Segment"} <= SEALED
    assert {"PolicyDelta", "ChatBatch"}.isdisjoint(SEALED)


EXITS = """
from kitsu.protocol import (
    Approved, AuthorName, Caption, PlayoutCaption, Question, Segment, Speech, TtsSynthesize, TurnStarted
)

def fine(s: Approved[Speech], c: Approved[Caption], q: Approved[Question], a: Approved[AuthorName]) -> None:
    TtsSynthesize(segment=0, speech=s)
    PlayoutCaption(segment=0, caption=c)
    Segment(text=c)
    TurnStarted(kind="chat", author=a, question=q)

def plain(text: str) -> None:
    TtsSynthesize(segment=0, speech=text)
    PlayoutCaption(segment=0, caption=text)
    Segment(text=text)
    TurnStarted(kind="chat", author=text)
    TurnStarted(kind="chat", question=text)

def other_surface(s: Approved[Speech], c: Approved[Caption]) -> None:
    TtsSynthesize(segment=0, speech=c)
    PlayoutCaption(segment=0, caption=s)
    TurnStarted(kind="chat", question=s)
"""


def test_mypy_rejects_plain_text_at_every_exit(tmp_path: Path) -> None:
    snippet = tmp_path / "exits.py"
    snippet.write_text(EXITS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(snippet)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=110,
    )
    wrong = [int(line.split(":")[1]) for line in done.stdout.splitlines() if "[arg-type]" in line]
    lines = EXITS.splitlines()
    first = lines.index("def plain(text: str) -> None:") + 2
    expected = [*range(first, first + 5), *range(first + 7, first + 10)]
    assert wrong == expected, done.stdout + done.stderr
