"""Settings of the ears."""

from typing import Annotated, Literal

from msgspec import Meta

from kitsu.config import Seconds, Section
from kitsu.protocol.asr import ListenMode, SpeakerRole

Ms = Annotated[float, Meta(ge=0, le=10_000)]


class AsrSettings(Section, frozen=True, kw_only=True):
    """The ears."""

    enabled: bool = False  # true: Kitsu listens; the process runs only then
    device: str = ""  # microphone at the start (name, number, default); empty: none, browsers' only
    file: str = ""  # a sound file that is heard as if it were a microphone; to try things out
    conv: Annotated[str, Meta(pattern="^[a-z]+(:[A-Za-z0-9_.-]{1,64})?$")] = "stage"  # whom device and file speak to
    role: SpeakerRole = "host"  # of who speaks into them
    name: str = ""  # the same, as Kitsu should call them; empty: just host
    mode: ListenMode = "open"  # wake_word: only what is said with her name
    wake_words: tuple[str, ...] = ()  # besides her name, as recognisers write it
    engine: Literal["auto", "pocketsphinx", "faster_whisper", "openai"] = "auto"  # auto: faster_whisper if downloaded
    model: str = ""  # faster_whisper: base.en on a processor, large-v3 on a GPU, or what is there; openai: whisper-1
    language: Annotated[str, Meta(pattern="^([a-z]{2,3})?$")] = "en"  # empty: found out, each time anew
    processor: Literal["auto", "cpu", "cuda"] = "auto"  # faster_whisper only
    vad: Literal["webrtc", "silero"] = "webrtc"  # silero: better in noise, 60 MB more memory
    vad_level: Annotated[int, Meta(ge=0, le=3)] = 2  # 3 hears the least noise, and misses the most speech
    onset_ms: Ms = 90.0  # so much speech is the start of an utterance
    min_speech_ms: Ms = 180.0  # utterances with less are noise
    finished_ms: Ms = 350.0  # silence after a sentence that is surely finished
    hangover_ms: Ms = 800.0  # silence after what may be finished, or may not
    unfinished_ms: Ms = 1200.0  # silence after "and …", where the speaker only thinks
    max_utterance_s: Annotated[float, Meta(ge=2, le=300)] = 30.0  # then it is cut
    partial_ms: Annotated[float, Meta(ge=100, le=10_000)] = 400.0  # how often what was said so far is recognised
    auto_gain: bool = True  # quiet microphones are brought to about -20 dBFS
    noise_suppression: bool = False  # steady noise is taken out; recognisers mostly do better without
    echo_guard: bool = True  # takes out what Kitsu herself says
    commands: bool = True  # hosts can say mute, unmute, skip, scene NAME
    panic_phrase: str = "kitsu emergency stop"  # spoken panic; a convenience, never the only way. Empty: none
    base_url: str = "http://127.0.0.1:8000/v1"  # openai only
    api_key: str = ""  # secret: set it in .env
    read_timeout_s: Seconds = 20.0  # openai only: longest wait for an answer
