"""docs/cli.md must tell of every verb, option and exit code."""

import argparse
import re

import pytest

from kitsu.home import CHECKOUT
from kitsu_cli.arguments import ROLES, VERBS, parser
from kitsu_cli.exits import MEANING, Exit
from kitsu_cli.turn import FIELDS
from tests.unit.cli.conftest import Kitsu

DOCS = (CHECKOUT / "docs" / "cli.md").read_text(encoding="utf-8")


def usage(verb: str) -> str:
    """The usage line of a verb in the docs."""
    return next(line for line in DOCS.splitlines() if f"`kitsu {verb}" in line and line[0] in "#|")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_option_is_documented(verb: str) -> None:
    made = argparse.ArgumentParser(add_help=False)
    VERBS[verb].add(made)
    for action in made._actions:
        for option in action.option_strings or [str(action.metavar)]:
            assert option in usage(verb)


@pytest.mark.parametrize("code", Exit)
def test_every_exit_code_is_documented(code: Exit) -> None:
    assert f"| {int(code)} | {MEANING[code]} |" in DOCS


def test_fields_and_roles_are_documented() -> None:
    for word in (*FIELDS, *ROLES):
        assert f"`{word}`" in DOCS


def test_help_tells_of_verbs_and_exit_codes(kitsu: Kitsu) -> None:
    code, out, _ = kitsu("--help")
    assert code == 0
    for verb in VERBS:
        assert re.search(rf"^    {verb}\b", out, re.MULTILINE)
        assert kitsu(verb, "--help")[0] == 0
    for meaning in MEANING.values():
        assert meaning in out


def test_verbs_have_a_file_and_the_parser_knows_them() -> None:
    for verb in VERBS.values():
        assert (CHECKOUT / "apps" / "kitsu_cli" / "verbs" / f"{verb.module}.py").is_file()
    assert parser().parse_args(["status"]).verb == "status"
