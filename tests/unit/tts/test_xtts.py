"""XTTS models: refused until their licence was accepted, spoken with only when named; real child, real pipes."""

from array import array
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from kitsu.coqui import is_xtts
from kitsu.errors import ConfigError, EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines.coqui import CoquiVoice
from kitsu_tts.installed import installed, voices
from kitsu_tts.rack import VoiceRack
from tests.fakes import coqui_library

RATE_HZ = 24_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    return tmp_path


@asynccontextmanager
async def speaking(voice: str = "", **settings: object) -> AsyncIterator[CoquiVoice]:
    async with AsyncExitStack() as stack:
        made = CoquiVoice(TtsSettings(engine="coqui", voice=voice, **settings))  # type: ignore[arg-type]
        await made.load(stack)
        yield made


async def refusal(voice: str, **settings: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        async with speaking(voice, **settings):
            pass
    return caught.value


async def pitch(voice: CoquiVoice, name: str = "") -> float:
    """Hz of what it hums."""
    async with aclosing(voice.speak("Hello there, my friend.", name)) as chunks:
        parts = [chunk async for chunk in chunks]
    pcm = array("h", b"".join(part.pcm for part in parts))
    assert parts[0].rate_hz == RATE_HZ
    rising = sum(a < 0 <= b for a, b in pairwise(pcm))
    return rising / len(pcm) * RATE_HZ


async def test_without_the_licence_it_is_refused_and_said_what_to_do(home: Path) -> None:
    coqui_library.make_xtts(home, people=("ann",))
    error = await refusal("clone")
    assert error.code == "licence_not_accepted"
    for words in ("XTTS", "CPML", "non-commercial", "tts.accept_cpml", "--accept-cpml"):
        assert words in error.message
    assert (await refusal("clone:ann")).code == "licence_not_accepted"


async def test_with_it_the_model_speaks_and_says_what_it_is(home: Path) -> None:
    coqui_library.make_xtts(home, people=("ann", "bob"))
    async with speaking("clone", accept_cpml=True) as voice:
        assert await pitch(voice) == pytest.approx(200, rel=0.02)
        assert await pitch(voice, "clone:bob") == pytest.approx(240, rel=0.02)
        assert "CPML" in voice.note
        with pytest.raises(EngineError, match="no_such_voice"):
            await voice.choose("clone:eve")


async def test_a_recording_gives_the_voice_and_is_looked_into_once(home: Path) -> None:
    folder = coqui_library.make_xtts(home, people=("ann",))
    recording = coqui_library.record(folder, "mika", 300)
    async with speaking("clone", accept_cpml=True) as voice:
        assert await pitch(voice) == pytest.approx(300, rel=0.02), "a recording of one's own goes first"
        assert await pitch(voice, "clone:mika") == pytest.approx(300, rel=0.02)
        assert await pitch(voice, "clone:ann") == pytest.approx(200, rel=0.02)
        before = voice.identity("")
        recording.write_text("305.5")
        assert voice.identity("") != before, "another recording is another sound"
    assert recording.with_name("mika.wav.looked").read_text() == "x"


async def test_only_a_recording(home: Path) -> None:
    coqui_library.record(coqui_library.make_xtts(home), "mika", 260)
    async with speaking("clone", accept_cpml=True) as voice:
        assert await pitch(voice) == pytest.approx(260, rel=0.02)


async def test_languages(home: Path) -> None:
    coqui_library.make_xtts(home, people=("ann",))
    async with speaking("clone", accept_cpml=True, language="de") as voice:
        assert await pitch(voice) == pytest.approx(400, rel=0.02)  # the stand-in hums an octave higher in German
    error = await refusal("clone", accept_cpml=True, language="tlh")
    assert error.code == "no_such_language"
    assert "en, de" in error.message


@pytest.mark.parametrize(
    ("people", "torchaudio", "code"), [((), True, "no_speaker"), (("ann",), False, "torchaudio_missing")]
)
async def test_what_it_lacks_is_named(home: Path, people: tuple[str, ...], torchaudio: bool, code: str) -> None:
    coqui_library.make_xtts(home, people=people, torchaudio=torchaudio)
    assert (await refusal("clone", accept_cpml=True)).code == code


@pytest.mark.parametrize(
    "config",
    [
        '{"model": "xtts"}',
        '{"model":"XTTS"}',
        '{\n// a comment\n"base_model" :\t"xtts", "model": "mine"}',
        '{"model": "\\u0078tts"}',  # only coqui's own reader sees it
    ],
)
async def test_it_is_known_by_its_config_however_that_is_written(home: Path, config: str) -> None:
    folder = coqui_library.make_xtts(home, people=("ann",))
    (folder / "config.json").write_text(config)
    assert (await refusal("clone")).code == "licence_not_accepted"
    assert is_xtts(folder) == ("u0078" not in config)


async def test_it_is_never_chosen_by_itself(home: Path) -> None:
    coqui_library.make_xtts(home, "a", people=("ann",))
    assert "no voice yet" in installed("coqui")
    assert installed("coqui", "a:ann") == ""
    assert (await refusal("", accept_cpml=True)).code == "no_such_voice"
    coqui_library.make(home, "hum")
    assert [name for name in voices() if "coqui" in name] == ["coqui/hum"]
    assert [name for name in voices(cpml=True) if "coqui" in name] == ["coqui/hum", "coqui/a"]
    async with speaking(accept_cpml=True, language="de") as voice:
        assert voice._wanted == "hum"
        assert voice.note == ""
        await voice.choose("a")
        assert "CPML" in voice.note
        await voice.choose("hum")
        assert voice.note == ""


async def test_a_show_whose_settings_name_one_goes_on_with_another_voice_and_says_why(home: Path) -> None:
    coqui_library.make_xtts(home, people=("ann",))
    async with AsyncExitStack() as stack:
        rack = VoiceRack(TtsSettings(voice="clone", cache_mb=0), lambda _: None)
        await rack.load(stack)
        assert rack.current.name == "espeak"
        assert "CPML" in rack.trouble
        with pytest.raises(EngineError, match="licence_not_accepted"):
            await rack.use("coqui", "clone")
        assert rack.current.name == "espeak"
