"""configs/kitsu.yaml and .env.example know every setting and its default."""

from pathlib import Path

import msgspec
import pytest
import yaml

from kitsu.config import CHECKOUT, Section, load_all, section_type
from kitsu.config.fields import is_secret
from kitsu.services import SECTIONS
from tests.unit.config.conftest import Settings

SEED = CHECKOUT / "configs" / "kitsu.yaml"
EXAMPLE = CHECKOUT / ".env.example"


def defaults() -> dict[str, Section]:
    return {name: section_type(name)() for name in SECTIONS}


@pytest.mark.parametrize("name", SECTIONS)
def test_every_key_stands_in_both_files(name: str) -> None:
    section = SEED.read_text(encoding="utf-8").partition(f"\n{name}:\n")[2].partition("\n\n")[0]
    example = EXAMPLE.read_text(encoding="utf-8")
    for field in section_type(name).__struct_fields__:
        assert f"  {field}: " in section or (is_secret(field) and f"# {field}: " in section)
        assert f"\n# KITSU__{name.upper()}__{field.upper()}=" in example


def test_the_seed_holds_the_defaults(settings: Settings) -> None:
    assert load_all(settings(yaml=SEED.read_text(encoding="utf-8"))) == defaults()


def test_the_example_holds_the_defaults(settings: Settings) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert load_all(settings(env="\n".join(line[2:] for line in lines if line.startswith("# KITSU__")))) == defaults()


def test_no_secret_has_a_value_in_the_seed() -> None:
    seed = yaml.safe_load(SEED.read_text(encoding="utf-8"))
    assert not [key for values in seed.values() for key in values if is_secret(key)]
    for name in SECTIONS:
        for field in msgspec.structs.fields(section_type(name)):
            assert not is_secret(field.name) or field.default == ""


def test_folders_are_in_the_example() -> None:
    source = (Path(CHECKOUT) / "libs" / "kitsu" / "home.py").read_text(encoding="utf-8")
    example = EXAMPLE.read_text(encoding="utf-8")
    for variable in ("KITSU_HOME", "KITSU_LOG_ROOT", "KITSU_CONFIGS"):
        assert variable in source
        assert f"# {variable}=" in example
