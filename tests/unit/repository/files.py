"""Files of the repository, as tests look at them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SKIP = {".git", ".venv", "node_modules", "build", ".svelte-kit", ".hypothesis", "__pycache__", ".node"}
WRITTEN = {"data", "secrets", "artifacts", "logs"}  # by a show that runs in the checkout


def python_files(*folders: str) -> list[Path]:
    """Python files below these folders of the checkout."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def documents() -> list[Path]:
    """Markdown files."""
    return sorted(_walk(ROOT))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in SKIP and not (folder == ROOT and path.name in WRITTEN):
            yield from _walk(path)
        elif path.suffix == ".md":
            yield path


def name(path: Path) -> str:
    """The path as people write it."""
    return path.relative_to(ROOT).as_posix()
