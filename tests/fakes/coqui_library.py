"""A Python environment in which `import TTS` finds a library that hums: the real child runs there, torch does not.

Only what the child calls exists: `torch.manual_seed`, `torch.cuda.is_available`, `TTS.config.load_config`, and coqui's
`Synthesizer` with its constructor's and `tts`'s keywords as of coqui-tts 0.28. XTTS models take the keywords that
`Xtts.synthesize` and `Xtts.inference` name, and hum as high as their reference says.
"""

import json
import sys
import sysconfig
import venv
from pathlib import Path

LOAD_CONFIG = """
import json

def load_config(path):
    with open(path) as file:
        text = file.read()
    return json.loads("\\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))
"""

SYNTHESIZER = """
import json, math, os, pathlib, time

class _Model:
    length_scale = 1.0
    speaker_manager = None
    language_manager = None

class _Names:
    def __init__(self, **lists):
        vars(self).update(lists)

class _Xtts:
    def __init__(self, folder):
        if not (folder / "vocab.json").is_file():
            raise FileNotFoundError("`vocab.json` file not found")
        listed = folder / "speakers_xtts.pth"
        names = json.loads(listed.read_text()) if listed.is_file() else None
        self.speaker_manager = names and _Names(speaker_names=list(names), speakers=names)
        self.language_manager = _Names(language_names=["en", "de"])
        self.config = _Names(languages=["en", "de"])

    def get_conditioning_latents(self, audio_path, **settings):
        with open(audio_path + ".looked", "a") as file:
            file.write("x")
        return float(open(audio_path).read()), None

    def hz(self, speaker, speaker_wav, language):
        assert language in self.config.languages, language
        if speaker is not None and speaker in self.speaker_manager.speakers:
            return self.speaker_manager.speakers[speaker]
        return self.get_conditioning_latents(audio_path=speaker_wav)[0]

class Synthesizer:
    output_sample_rate = 22050

    def __init__(self, tts_checkpoint, tts_config_path, tts_speakers_file=None):
        with open(tts_checkpoint) as file:
            if file.read() != "a model":
                raise RuntimeError("not a model")
        self.tts_model = _Model()
        if "xtts" in open(tts_config_path).read().lower():
            import torchaudio
            self.tts_model = _Xtts(pathlib.Path(tts_checkpoint).parent)
            self.output_sample_rate = 24000
        if tts_speakers_file:
            self.tts_model.speaker_manager = _Names(speaker_names=["ann", "bob"])

    def tts(self, text, speaker_name=None, language_name=None, speaker_wav=None, split_sentences=True, **settings):
        print("coqui prints what it likes", flush=True)
        if "die now" in text:
            os._exit(9)
        if "no memory" in text:
            raise MemoryError
        if "garbage" in text:
            os.write(1, b"\\x00\\xffgarbage\\n")
        if not text.strip():
            raise ValueError("no characters")
        if isinstance(self.tts_model, _Xtts):
            hz = self.tts_model.hz(speaker_name, speaker_wav, language_name)
            slow = 1 / settings.pop("speed")
            assert settings.pop("enable_text_splitting") is True
            hz *= 2 if language_name == "de" else 1
        else:
            hz, slow = (330 if speaker_name == "bob" else 220), self.tts_model.length_scale
        assert not settings, settings
        n = int(0.06 * len(text) * slow * self.output_sample_rate)
        rate = self.output_sample_rate
        return [0.4 * math.sin(2 * math.pi * hz * i / rate) * abs(math.sin(math.pi * 3 * i / rate)) for i in range(n)]
"""

MODULES = {
    "TTS/__init__.py": "import torchaudio, torchcodec\n",
    "TTS/config/__init__.py": LOAD_CONFIG,
    "TTS/utils/__init__.py": "",
    "TTS/utils/synthesizer.py": SYNTHESIZER,
    "torch.py": "def manual_seed(n): pass\nclass cuda:\n    is_available = staticmethod(lambda: False)\n",
}


def make(home: Path, name: str = "hum", *, speakers: bool = False) -> Path:
    """Fill `engines/coqui` of a home with the environment and one VITS voice; returns the voice's folder."""
    environment(home)
    voice = home / "engines" / "coqui" / "models" / name
    voice.mkdir(parents=True)
    (voice / "model.pth").write_text("a model")
    (voice / "config.json").write_text('{"model": "vits"}')
    if speakers:
        (voice / "speakers.pth").write_text("two")
    return voice


def make_xtts(home: Path, name: str = "clone", *, people: tuple[str, ...] = (), torchaudio: bool = True) -> Path:
    """One XTTS model, which speaks like `people`; `torchaudio`: what it wants besides is installed and works."""
    voice = make(home, name)
    (voice / "config.json").write_text('// as coqui writes them\n{"model": "xtts", "languages": ["en", "de"]}')
    (voice / "vocab.json").write_text("{}")
    if people:
        (voice / "speakers_xtts.pth").write_text(json.dumps({who: 200.0 + 40 * n for n, who in enumerate(people)}))
    if torchaudio:
        for module in ("torchaudio.py", "torchcodec.py"):
            (_site(home) / module).write_text("")
    return voice


def record(voice: Path, who: str, hz: float) -> Path:
    """A recording of somebody, for an XTTS model to speak like."""
    file = voice / "speakers" / f"{who}.wav"
    file.parent.mkdir(exist_ok=True)
    file.write_text(str(hz))
    return file


def environment(home: Path) -> None:
    """The Python of its own, installed."""
    folder = home / "engines" / "coqui"
    if (folder / "venv").exists():
        return
    venv.create(folder / "venv", with_pip=False, symlinks=sys.platform != "win32")
    site = _site(home)
    for path, source in MODULES.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(source)
    (site / "numpy.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "installed").write_text("test")


def publish(home: Path, models: str) -> None:
    """The list of models that the library carries."""
    (_site(home) / "TTS" / ".models.json").write_text(models, encoding="utf-8")


def _site(home: Path) -> Path:
    venv_folder = str(home / "engines" / "coqui" / "venv")
    return Path(sysconfig.get_path("purelib", "venv", {"base": venv_folder}))
