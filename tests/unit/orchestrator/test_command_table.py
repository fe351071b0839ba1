"""configs/commands.yaml: what it allows, and what in it stops the start."""

import dataclasses
from pathlib import Path

import pytest

from kitsu.config import CHECKOUT, Home
from kitsu.errors import ConfigError
from kitsu.protocol import Author
from kitsu_orchestrator.commands.cooldowns import Cooldowns, Refusals
from kitsu_orchestrator.commands.handlers import COMMANDS, Handlers
from kitsu_orchestrator.commands.table import CommandTable, Rule, Table, has_role, is_named, load_commands

SEED = (CHECKOUT / "configs" / "commands.yaml").read_text(encoding="utf-8")


def place(folder: Path, text: str) -> Home:
    (folder / "configs").mkdir()
    (folder / "configs" / "commands.yaml").write_text(text, encoding="utf-8")
    return Home(root=folder, logs=folder, configs=CHECKOUT / "configs")


def seed() -> CommandTable:
    return load_commands(Home(root=CHECKOUT / "nowhere", logs=CHECKOUT, configs=CHECKOUT / "configs"), COMMANDS)


def author(role: str = "viewer", tier: int = 0, login: str = "rita", user_id: str = "7") -> Author:
    return Author(name="Rita", role=role, platform="twitch", login=login, user_id=user_id, sub_tier=tier)  # type: ignore[arg-type]


def test_every_command_of_the_seed_can_be_done_and_the_other_way_round() -> None:
    assert set(seed().rules) == set(COMMANDS)
    assert all(hasattr(Handlers, name.removeprefix("ai ")) for name in COMMANDS)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("ask", "help", "ai status")])
def test_what_changes_the_show_is_not_for_viewers(name: str) -> None:
    table = seed()
    for role in ("viewer", "sub", "vip"):
        assert not table.allows(name, author(role, 3))
    assert table.allows(name, author("broadcaster"))
    assert table.allows(name, author("mod")) == (name != "unpanic")


def test_panic_has_no_cooldown() -> None:
    rule = seed().rules["panic"]
    assert (rule.cooldown_s, rule.user_cooldown_s, rule.when) == (0, 0, "both")


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("!ask why?", "ask", "why?"),
        ("!ASK  why  not? ", "ask", "why  not?"),
        ("!kitsu hi", "ask", "hi"),
        ("!ai mute", "ai mute", ""),
        ("!ai", "ai status", ""),
        ("!ai ignore @Bob ", "ai ignore", "@Bob"),
        ("!skip", "ai skip", ""),
        ("!askme why", "", ""),
        ("!discord", "", ""),
        ("!1", "", ""),
    ],
)
def test_typed(text: str, name: str, argument: str) -> None:
    typed = seed().typed(text)
    assert typed is not None
    assert (typed.name, typed.argument) == (name, argument)


@pytest.mark.parametrize("text", ["", "!", "!!", "! ask", "ask why", " !ask", "¡ask", "!\u202eask", "!?"])
def test_chat_that_only_looks_like_it(text: str) -> None:
    assert seed().typed(text) is None


def test_a_long_argument_is_cut() -> None:
    typed = seed().typed("!ask " + "x" * 100_000)
    assert typed is not None
    assert len(typed.argument) == 500


def test_roles_are_a_set() -> None:
    assert has_role(author(), ["everyone"])
    assert has_role(author("mod", 2), ["sub2"])
    assert has_role(author("vip", 1), ["sub"])
    assert not has_role(author("sub", 1), ["sub2", "sub3"])
    assert not has_role(author("broadcaster"), ["mod"])
    assert not has_role(author(), [])


def test_names_are_logins_or_ids() -> None:
    assert is_named(author(), ["Rita"])
    assert is_named(author(), ["id:7"])
    assert not is_named(author(), ["7", "rit", "id:", ""])
    assert not is_named(author(login="", user_id=""), ["", "id:"])


def test_cooldowns_for_all_and_for_each() -> None:
    now = [0.0]
    cooldowns, rule = Cooldowns(lambda: now[0]), Rule(cooldown_s=5, user_cooldown_s=20, exempt=("mod",))
    cooldowns.used("ask", rule, author())
    assert cooldowns.left_s("ask", rule, author()) == 20
    assert cooldowns.left_s("ask", rule, author(user_id="8")) == 5
    assert cooldowns.left_s("ask", rule, author("mod")) == 0
    assert cooldowns.left_s("help", rule, author()) == 0
    now[0] = 20.0
    assert cooldowns.left_s("ask", rule, author()) == 0


def test_many_users_do_not_fill_the_memory() -> None:
    cooldowns, rule = Cooldowns(), Rule(user_cooldown_s=20)
    for number in range(6000):
        cooldowns.used("ask", rule, author(user_id=str(number)))
    assert len(cooldowns._last_by) == 5000


def test_a_refusal_is_said_aloud_once_to_each_and_not_too_often() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    assert refusals.aloud(author())
    assert not refusals.aloud(author(user_id="8")), "all together: every five seconds"
    now[0] = 5.0
    assert not refusals.aloud(author()), "the same person: no echo"
    assert refusals.aloud(author(user_id="8"))
    now[0] = 60.0
    assert refusals.aloud(author()), "but a minute later it is news again, whoever else was refused or not"


def test_refusing_many_does_not_fill_the_memory() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    for number in range(6000):
        now[0] += 5.0
        refusals.aloud(author(user_id=str(number)))
    assert len(refusals._last_by) == 5000


def test_an_own_file_wins(tmp_path: Path) -> None:
    table = load_commands(place(tmp_path, "commands:\n  help: {roles: [everyone]}\n...\n"), COMMANDS)
    assert list(table.rules) == ["help"]


def test_a_command_that_is_switched_off_is_none() -> None:
    table = CommandTable(Table(commands={"ask": Rule(roles=("everyone",), enabled=False)}))
    typed = table.typed("!ask hi")
    assert typed is not None
    assert typed.name == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("roles: [everyone]", "roles: [evryone]", "line 20"),
        ("  ask:", "  shout:", "there is no command 'shout'"),
        ("aliases: [kitsu]", "aliases: [ai on]", "calls"),
        ("aliases: [kitsu]", 'aliases: ["one two three four"]', "one to 3 words"),
        ("aliases: [kitsu]", 'aliases: ["!x"]', "begin with a letter"),
        ("user_cooldown_s: 20", "user_cooldown_s: -1", "user_cooldown_s"),
        ("user_cooldown_s: 20", "cooldwn_s: 20", "unknown field"),
        ('prefix: "!"', 'prefix: ""', "prefix"),
        ("\n...\n", "\n", "half-written"),
    ],
)
def test_a_wrong_table_stops_the_start_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in SEED
    with pytest.raises(ConfigError) as caught:
        load_commands(place(tmp_path, SEED.replace(old, new, 1)), COMMANDS)
    assert caught.value.code == "bad_commands"
    assert said in caught.value.message
    assert "commands.yaml" in caught.value.message


def test_rules_are_frozen() -> None:
    with pytest.raises((AttributeError, dataclasses.FrozenInstanceError)):
        Rule().enabled = False  # type: ignore[misc]
