"""Settings: which source wins, and what a wrong one is told."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta

from kitsu.config import LogSettings, NetworkSettings, PolicySettings, Section, ShowSettings, load, load_all
from kitsu.errors import ConfigError
from tests.unit.config.conftest import Settings


class Sample(Section, frozen=True, kw_only=True):
    """One field of each kind."""

    engine: Literal["espeak", "openai"] = "espeak"
    rate: Annotated[float, Meta(ge=0.5, le=2)] = 1.0
    gain_db: Annotated[float, Meta(ge=-30, le=30)] | None = None
    loud: bool = False
    count: Annotated[int, Meta(ge=1)] = 1
    name: Annotated[str, Meta(pattern="^[a-z]+$")] = "fox"
    api_key: Annotated[str, Meta(min_length=20)] = ""
    max_tokens: Annotated[int, Meta(le=100)] = 10
    models: Annotated[tuple[str, ...], Meta(min_length=1)] = ("one", "two")


def complaint(
    settings: Settings, yaml: str | bytes = "", env: str | bytes | None = None, **variables: str
) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load("tts", Sample, settings(yaml=yaml, env=env, **variables))
    return caught.value


def test_an_empty_file_gives_the_defaults(settings: Settings) -> None:
    assert load("show", ShowSettings, settings()) == ShowSettings()
    assert load("show", ShowSettings, settings(yaml="# nothing\nshow:\n")) == ShowSettings()


def test_environment_wins_over_env_file_wins_over_yaml(settings: Settings) -> None:
    yaml = "logs:\n  level: error\n  keep_days: 3\n  max_mb: 7\n"
    env = "KITSU__LOGS__LEVEL=warning\nKITSU__LOGS__KEEP_DAYS=4\n"
    loaded = load("logs", LogSettings, settings(yaml=yaml, env=env, KITSU__LOGS__LEVEL="debug"))
    assert loaded == LogSettings(level="debug", keep_days=4, max_mb=7)


def test_variables_are_read_in_any_case(settings: Settings) -> None:
    source = settings(env="export kitsu__network__control_port='8200' # ours\nOTHER=1\n\nNOTHING\n")
    assert load("network", NetworkSettings, source).control_port == 8200


def test_values_are_taken_as_they_stand(settings: Settings) -> None:
    source = settings(env="KITSU__POLICY__API_KEY=a$B${C}#d\n", yaml="policy: {model: 'on'}")
    assert load("policy", PolicySettings, source).api_key == "a$B${C}#d"
    assert load("policy", PolicySettings, source).model == "on"


@pytest.mark.parametrize(
    "source",
    [
        {"yaml": "tts:\n  models: [a:1b, c]"},
        {"yaml": "tts:\n  models: a:1b,c"},
        {"env": "KITSU__TTS__MODELS=' a:1b, c,'"},
    ],
)
def test_a_list_is_a_list_or_words_with_commas(settings: Settings, source: dict[str, str]) -> None:
    assert load("tts", Sample, settings(**source)).models == ("a:1b", "c")


def test_a_file_saved_by_notepad_is_fine(settings: Settings) -> None:
    source = settings(yaml=b"\xef\xbb\xbfshow:\r\n  start: live\r\n", env=b"\xef\xbb\xbfKITSU__LOGS__LEVEL=debug\r\n")
    assert load("show", ShowSettings, source).start == "live"
    assert load("logs", LogSettings, source).level == "debug"


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("tts:\n  engine: pipr", "kitsu.yaml, line 2: tts.engine = 'pipr'. Allowed: espeak | openai."),
        ("\ntts:\n\n  rate: 9", "kitsu.yaml, line 4: tts.rate = 9. Allowed: a number from 0.5 to 2."),
        ("tts:\n  rate: .nan", "kitsu.yaml, line 2: tts.rate = nan. Allowed: a number from 0.5 to 2."),
        ("tts:\n  gain_db: loud", "line 2: tts.gain_db = 'loud'. Allowed: a number from -30 to 30, or null."),
        ("tts:\n  loud: perhaps", "line 2: tts.loud = 'perhaps'. Allowed: true or false."),
        ("tts:\n  count: 0", "line 2: tts.count = 0. Allowed: a whole number at least 1."),
        ("tts:\n  name: [fox]", "line 2: tts.name = ['fox']. Allowed: text like ^[a-z]+$."),
        ("tts:\n  name: 2020-01-01", "Allowed: text like ^[a-z]+$."),
        ("tts:\n  engine:\n    name: espeak", "line 2: tts.engine = {'name': 'espeak'}. Allowed: espeak | openai."),
        ("tts:\n  models: []", "line 2: tts.models = []. Allowed: a list of text."),
        ("tts:\n  models: [fox, 1]", "line 2: tts.models = ['fox', 1]. Allowed: a list of text."),
        ("tts:\n  models: ', '", "line 2: tts.models = ', '. Allowed: a list of text."),
        ("tts:\n  max_tokens: 101", "tts.max_tokens = 101. Allowed: a whole number at most 100."),
        (
            "tts:\n  engin: espeak",
            "line 2: there is no setting 'tts.engin'. Allowed: api_key, count, engine",
        ),
    ],
)
def test_a_wrong_value_names_line_finding_and_what_is_allowed(settings: Settings, yaml: str, message: str) -> None:
    error = complaint(settings, yaml)
    assert error.code == "bad_setting"
    assert message in error.message


def test_a_wrong_variable_is_named(settings: Settings) -> None:
    error = complaint(settings, "tts:\n  rate: 1", KITSU__TTS__RATE="fast")
    assert error.message.startswith("environment variable KITSU__TTS__RATE: tts.rate = 'fast'.")
    error = complaint(settings, env="# mine\nKITSU__TTS__COUNT=none\n", KITSU__TTS__RATE="1")
    assert error.message.startswith(".env, line 2 (KITSU__TTS__COUNT): tts.count = 'none'.")


@pytest.mark.parametrize("variable", ["KITSU__TTS", "KITSU__TTS__", "KITSU____ENGINE", "KITSU__TTS__VOICE__NAME"])
def test_a_variable_of_another_form_is_refused(settings: Settings, variable: str) -> None:
    error = complaint(settings, **{variable: "x"})
    assert (error.code, variable in error.message) == ("bad_setting", True)


def test_unknown_sections_are_refused(settings: Settings) -> None:
    for source in (settings(yaml="\nttss:\n  engine: espeak"), settings(KITSU__TTSS__ENGINE="espeak")):
        with pytest.raises(ConfigError, match="there is no section 'ttss'"):
            load_all(source)


def test_secrets_are_never_shown(settings: Settings) -> None:
    secret = "sk-very-secret"
    assert secret not in complaint(settings, KITSU__TTS__API_KEY=secret).message
    assert secret not in complaint(settings, f"tts:\n  api_kye: {secret}").message
    assert secret not in complaint(settings, f"tts:\n  api_key: '{secret}\n  rate: 1").message
    assert secret not in complaint(settings, env=f"KITSU__TTS__API_KEY='{secret}\n").message


def test_complaints_are_short_however_long_the_value(settings: Settings) -> None:
    assert len(complaint(settings, KITSU__TTS__ENGINE="x" * 100_000).message) < 300


@pytest.mark.parametrize("name", ["show", "logs", "network", "policy", "safety"])
def test_sections_survive_a_round_trip(settings: Settings, name: str) -> None:
    section = load_all(settings())[name]
    again = settings(yaml=msgspec.yaml.encode({name: section}).decode())
    assert load(name, type(section), again) == section
