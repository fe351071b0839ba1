"""A Python environment in which `import TTS` finds a library that hums: the real child runs there, torch does not.

Only what the child calls exists: `torch.manual_seed`, `torch.cuda.is_available`, and coqui's `Synthesizer` with its
constructor's and `tts`'s keywords as of coqui-tts 0.28.
"""

import sys
import sysconfig
import venv
from pathlib import Path

SYNTHESIZER = """
import math, os, time

class _Model:
    length_scale = 1.0
    speaker_manager = None
    language_manager = None

class _Speakers:
    speaker_names = ["ann", "bob"]

class Synthesizer:
    output_sample_rate = 22050

    def __init__(self, tts_checkpoint, tts_config_path, tts_speakers_file=None):
        with open(tts_checkpoint) as file:
            if file.read() != "a model":
                raise RuntimeError("not a model")
        self.tts_model = _Model()
        if tts_speakers_file:
            self.tts_model.speaker_manager = _Speakers()

    def tts(self, text, speaker_name=None, language_name=None, split_sentences=True):
        print("coqui prints what it likes", flush=True)
        if "die now" in text:
            os._exit(9)
        if "no memory" in text:
            raise MemoryError
        if "garbage" in text:
            os.write(1, b"\\x00\\xffgarbage\\n")
        if not text.strip():
            raise ValueError("no characters")
        seconds = 0.06 * len(text) * self.tts_model.length_scale
        hz = 330 if speaker_name == "bob" else 220
        n = int(seconds * 22050)
        return [0.4 * math.sin(2 * math.pi * hz * i / 22050) * abs(math.sin(math.pi * 3 * i / 22050)) for i in range(n)]
"""


def make(home: Path, name: str = "hum", *, speakers: bool = False) -> Path:
    """Fill `engines/coqui` of a home with the environment and one voice; returns the voice's folder."""
    folder = home / "engines" / "coqui"
    if not (folder / "venv").exists():
        venv.create(folder / "venv", with_pip=False, symlinks=sys.platform != "win32")
        site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder / "venv")}))
        (site / "TTS" / "utils").mkdir(parents=True)
        (site / "TTS" / "__init__.py").write_text("raise ImportError('wants torchaudio')\n")
        (site / "TTS" / "utils" / "__init__.py").write_text("")
        (site / "TTS" / "utils" / "synthesizer.py").write_text(SYNTHESIZER)
        (site / "torch.py").write_text(
            "def manual_seed(n): pass\nclass cuda:\n    is_available = staticmethod(lambda: False)\n"
        )
        (site / "numpy.pth").write_text(sysconfig.get_path("purelib") + "\n")
        (folder / "installed").write_text("test")
    voice = folder / "models" / name
    voice.mkdir(parents=True)
    (voice / "model.pth").write_text("a model")
    (voice / "config.json").write_text("{}")
    if speakers:
        (voice / "speakers.pth").write_text("two")
    return voice
