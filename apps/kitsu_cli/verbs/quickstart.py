"""`kitsu quickstart`: five questions, the settings written, then every part tried aloud."""

import os
from argparse import Namespace
from collections.abc import Iterable

from kitsu.config import home, load_all
from kitsu.errors import KitsuError
from kitsu_cli import screen
from kitsu_cli.asking import somebody_there
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.first_run.env_file import save
from kitsu_cli.first_run.natural import Natural, natural
from kitsu_cli.first_run.questions import Answers, Question, WrongAnswerError, ask_all, one_of
from kitsu_cli.first_run.trying import try_parts
from kitsu_cli.hints import setting, uses_vtube_studio
from kitsu_cli.verbs.doctor import table

ENGINES = {"auto": "auto", "demo": "scripted", "ollama": "ollama"}


def run(arguments: Namespace) -> int:
    """Ask, write, try."""
    if not somebody_there():
        message = (
            "This asks questions and needs a terminal. Without one: put settings into .env (.env.example), kitsu start"
        )
        raise VerbError(Exit.USAGE, "no_terminal", message)
    load_all()
    home().make()
    screen.write_note(["Five questions. Enter takes what stands in brackets; Ctrl-C ends, and nothing is written."])
    screen.write_note(["Looking which natural voice there is …"])
    choice = natural()
    wanted = ask_all(_about_voices(choice), setting("twitch", "channel"), body_now=uses_vtube_studio())
    values = _settings(wanted, choice)
    backup = save(home(), values, _notes(wanted))
    screen.write(_written(values, backup))
    print("\nNow every part is tried aloud.\n", flush=True)
    rows = list(try_parts(wanted))
    screen.write([[], *table(rows), [], *_farewell(wanted)])
    return Exit.NO if any(row.state == "broken" for row in rows) else Exit.OK


def _about_voices(choice: Natural) -> Question:
    words = one_of("built-in", "natural")

    def read(typed: str) -> str:
        found = words(typed)
        if found == "natural" and choice.why_not:
            raise WrongAnswerError(choice.why_not)
        return found

    default = "natural" if choice.offered is None and not choice.why_not else "built-in"
    about = ("built-in: small, instant, robotic.", *choice.words())
    return Question("Her voice: built-in or natural (typing natural agrees with its licence)", default, read, about)


def _settings(wanted: Answers, choice: Natural) -> dict[str, str]:
    engine, voice = "espeak", ""
    if wanted.voice == "natural":
        try:
            choice.get()
            engine, voice = "piper", choice.key
        except KitsuError as error:
            screen.write_note([f"{error.message}", "The built-in voice speaks until then."])
    return {
        "KITSU__POLICY__ENGINE": ENGINES[wanted.brain],
        "KITSU__TTS__ENGINE": engine,
        "KITSU__TTS__VOICE": voice,
        "KITSU__TWITCH__CHANNEL": wanted.channel,
        "KITSU__VTS__ENABLED": "true" if wanted.vtube_studio else "false",
    }


def _notes(wanted: Answers) -> Iterable[str]:
    """What has no setting yet."""
    yield f"OBS: {'yes' if wanted.obs else 'no'} (its password: KITSU__OBS__PASSWORD=…; then: kitsu obs setup)"


def _written(values: dict[str, str], backup: object) -> Iterable[screen.Line]:
    yield []
    yield [(f"Written to {home().env_file}:", "bold")]
    for name, value in values.items():
        yield [(f"  {name}={value}", "")]
        if name in os.environ:
            yield [(f"  ! the environment variable {name}={os.environ[name]} overrules it", "yellow")]
    if backup:
        yield [(f"  what stood there before: {backup}", "bright_black")]


def _farewell(wanted: Answers) -> Iterable[screen.Line]:
    yield [
        ('Talk to her: kitsu chat "hello", or on the page (kitsu open). Silence: kitsu panic. Next: RUN_FIRST.md', "")
    ]
    if wanted.obs:
        yield [("OBS: its password into .env as KITSU__OBS__PASSWORD, then kitsu obs setup. RUN_FIRST.md, step 5.", "")]
    if wanted.channel:
        yield [("Twitch: kitsu live, and she answers the chat. That she writes there too: kitsu login twitch.", "")]
