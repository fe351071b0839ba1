import pytest

from kitsu.home import CHECKOUT


@pytest.fixture
def children_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets started processes import the test children."""
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
