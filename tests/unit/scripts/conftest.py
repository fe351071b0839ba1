import sys
from pathlib import Path

import pytest

from kitsu.home import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "scripts"))  # `install` is imported as bootstrap.py beside it imports it

from install.places import Places
from install.steps import Steps


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A checkout with locks and pages, nothing installed."""
    checkout = tmp_path / "checkout"
    (checkout / "web" / "src").mkdir(parents=True)
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock", "pyproject.toml"):
        (checkout / name).write_text(name)
    for name in ("package.json", "package-lock.json", ".npmrc", "src/app.html"):
        (checkout / "web" / name).write_text(name)
    return Places(checkout, tmp_path / "logs")


@pytest.fixture
def steps(places: Places) -> Steps:
    return Steps(places.install_log)
