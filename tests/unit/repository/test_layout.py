"""Every app is known wherever apps are listed, and described."""

import configparser
import tomllib

import pytest

from kitsu.services import SECTIONS, SERVICES
from tests.unit.repository.files import ROOT

APPS = sorted(path.name for path in (ROOT / "apps").iterdir() if (path / "__init__.py").is_file())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("app", APPS)
def test_an_app_is_described(app: str) -> None:
    text = (ROOT / "apps" / app / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text) > 300


@pytest.mark.parametrize("app", APPS)
def test_an_app_is_packaged_checked_and_measured(app: str) -> None:
    tools = PROJECT["tool"]
    assert f"apps/{app}" in tools["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert app in tools["mypy"]["packages"]
    assert app in tools["coverage"]["run"]["source"]


def test_import_linter_knows_every_app() -> None:
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter", encoding="utf-8")
    assert linter["importlinter"]["root_packages"].split() == ["kitsu", *APPS]
    assert linter["importlinter:contract:apps"]["modules"].split() == APPS
    assert linter["importlinter:contract:libs"]["forbidden_modules"].split() == APPS


def test_every_service_is_an_app() -> None:
    assert {service.module for service in SERVICES.values()} <= set(APPS)
    owners = {target.partition(".")[0] for target in SECTIONS.values()}
    assert owners <= {"kitsu", *APPS}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_can_be_started(service: str) -> None:
    assert (ROOT / "apps" / SERVICES[service].module / "__main__.py").is_file()


def test_the_licence_is_the_whole_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_ci_runs_what_people_run() -> None:
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in commands if not line.startswith("#!")] == ["exec ./scripts/test.sh"]
