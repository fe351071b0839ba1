"""Heavy engines load only when they are chosen; the protocol stays light."""

import ast
import subprocess
import sys

import pytest

from tests.unit.repository.files import ROOT, python_files

APPS = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "__init__.py").is_file())

BLOCKED = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "onnxruntime", "ctranslate2", "tensorflow", "transformers"}:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocker())
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    if ".migrations." not in module.name and ".engines." not in module.name:  # run only in Alembic; chosen by name
        importlib.import_module(module.name)
"""


@pytest.mark.parametrize("package", [*APPS, "kitsu"])
def test_every_module_imports_without_the_heavy_engines(package: str) -> None:
    command = [sys.executable, "-c", BLOCKED, package]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


def test_the_protocol_needs_msgspec_and_the_standard_library_only() -> None:
    allowed = {"msgspec", *sys.stdlib_module_names}
    for path in python_files("libs/kitsu/protocol"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _imported(node):
                ours = name == "kitsu.errors" or name.startswith("kitsu.protocol")
                assert ours or name.partition(".")[0] in allowed, f"{path.name} imports {name}"


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom(module=str(module)):
            return [module]
        case _:
            return []
