"""Documents that go red when they are left behind."""

import ast
import re
from pathlib import Path

import pytest

from kitsu.services import SERVICES
from tests.unit.repository.files import ROOT, documents, name, python_files

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:|#")
HEADINGS = ["Status", "Context", "Decision", "Consequences"]
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))
RUNBOOK = ROOT / "docs" / "runbook.md"


@pytest.mark.parametrize("document", documents(), ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target.partition("#")[0] for target in LINK.findall(text) if not ELSEWHERE.match(target)]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))


@pytest.mark.parametrize("path", ADRS, ids=name)
def test_a_decision_has_its_four_headings(path: Path) -> None:
    assert re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) == HEADINGS


@pytest.mark.parametrize("service", SERVICES)
def test_the_runbook_says_what_happens_without_a_service(service: str) -> None:
    assert f"| {service} | {SERVICES[service].without_it} |" in RUNBOOK.read_text(encoding="utf-8")


def test_the_runbook_explains_every_wrong_setting() -> None:
    """All codes that stop a start."""
    codes = set()
    for path in python_files("apps", "libs"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ConfigError" and node.args:
                codes |= {part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)}
    text = RUNBOOK.read_text(encoding="utf-8")
    assert codes
    assert [code for code in sorted(map(str, codes)) if f"`{code}`" not in text] == []
