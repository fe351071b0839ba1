"""configs/commands.yaml: which commands there are, and who may use them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kitsu.config import Home
from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import ConfigError
from kitsu.protocol import Author

RoleName = Literal["everyone", "sub", "sub1", "sub2", "sub3", "vip", "mod", "broadcaster"]
Cooldown = Annotated[float, Meta(ge=0, le=86_400)]
MOST_WORDS = 3  # of a command: "ai ignore"
ARGUMENT_CODE_POINTS = 500


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may use one command, how often and when."""

    aliases: tuple[str, ...] = ()
    roles: tuple[RoleName, ...] = ()  # any of them
    users: tuple[str, ...] = ()  # login names, or `id:` and the platform's id, besides the roles
    cooldown_s: Cooldown = 0.0  # for all together
    user_cooldown_s: Cooldown = 0.0  # for each
    exempt: tuple[RoleName, ...] = ()  # roles without cooldowns
    when: Literal["online", "offline", "both"] = "both"
    enabled: bool = True
    help: str = ""  # what comes after the command: "TEXT"


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    commands: dict[str, Rule]
    prefix: Annotated[str, Meta(min_length=1, max_length=3)] = "!"


class Typed(Struct, frozen=True):
    """A command as it was typed; `name` is empty when there is none of these words."""

    name: str
    argument: str


class CommandTable:
    """The rules, by the words that call them."""

    def __init__(self, table: Table) -> None:
        self.prefix = table.prefix
        self.rules = {name: rule for name, rule in table.commands.items() if rule.enabled}
        self._words = {
            tuple(called.casefold().split()): name
            for name, rule in self.rules.items()
            for called in (name, *rule.aliases)
        }

    def typed(self, text: str) -> Typed | None:
        """The command in a line. None: the line is not one (`!!!` and `! wow` are chat)."""
        if not text.startswith(self.prefix):
            return None
        rest = text[len(self.prefix) :]
        if not rest[:1].isalnum():
            return None
        words = rest.split(maxsplit=MOST_WORDS)
        for count in range(min(MOST_WORDS, len(words)), 0, -1):
            name = self._words.get(tuple(word.casefold() for word in words[:count]))
            if name is not None:
                argument = rest.split(maxsplit=count)[count:]
                return Typed(name, argument[0].strip()[:ARGUMENT_CODE_POINTS] if argument else "")
        return Typed("", "")

    def allows(self, name: str, author: Author) -> bool:
        """Whether somebody may use a command."""
        rule = self.rules[name]
        return has_role(author, rule.roles) or is_named(author, rule.users)

    def of(self, author: Author) -> list[str]:
        """The commands that somebody may use."""
        return [name for name in self.rules if self.allows(name, author)]


def has_role(author: Author, roles: Iterable[RoleName]) -> bool:
    """Whether somebody is one of these. A mod who subscribes is both."""
    held = {"everyone", author.role}
    if author.sub_tier:
        held |= {"sub", f"sub{author.sub_tier}"}
    return any(role in held for role in roles)


def is_named(author: Author, users: Iterable[str]) -> bool:
    """Whether somebody is named. By login, which is unique; the name that is shown proves nothing."""
    names = {author.login.casefold(), f"id:{author.user_id}"} - {"", "id:"}
    return any(user.casefold() in names for user in users)


def load_commands(where: Home, known: Iterable[str]) -> CommandTable:
    """The table; a file of one's own in home wins over the checkout's. `known`: commands that can be done at all.

    Raises:
        ConfigError: `bad_commands` with file and line.
    """
    own = where.root / "configs" / "commands.yaml"
    path = own if own.is_file() else where.configs / "commands.yaml"
    try:
        table = read_yaml(path, Table)
        _check(path, table, set(known))
    except DataFileError as error:
        raise ConfigError("bad_commands", f"{error}.") from None
    return CommandTable(table)


def _check(path: Path, table: Table, known: set[str]) -> None:
    called: dict[tuple[str, ...], str] = {}
    for name, rule in table.commands.items():
        line = line_of(path, "commands", name)
        if name not in known:
            raise DataFileError(path, line, f"there is no command {name!r}; there are: {', '.join(sorted(known))}")
        for alias in (name, *rule.aliases):
            words = tuple(alias.casefold().split())
            if not 1 <= len(words) <= MOST_WORDS or not words[0][0].isalnum():
                raise DataFileError(path, line, f"{alias!r} wants one to {MOST_WORDS} words that begin with a letter")
            if words in called:
                raise DataFileError(path, line, f"{alias!r} calls {called[words]!r} already")
            called[words] = name
