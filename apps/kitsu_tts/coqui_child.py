"""Runs in coqui's own Python (its pins clash with ours): JSON lines in, frames out. Standard library and coqui only.

    python coqui_child.py MODEL_FOLDER [--accept-cpml]

A VITS voice is model.pth and config.json (speakers.pth beside). An XTTS model has vocab.json too, speaks like those in
speakers_xtts.pth or like the recordings speakers/NAME.wav, and is loaded only with `--accept-cpml`.

In:  {"id": 1, "text": "…", "speaker": "", "language": "", "rate": 1.0}
Out: a line of JSON and, where it says `bytes`, so many bytes of s16le mono:
     {"ready": true, "kind": "vits" | "xtts", "rate_hz": 22050, "speakers": […], "languages": […], "device": "cpu"}
     {"failed": "code", "message": "…"}
     {"id": 1, "bytes": 4410} … {"id": 1, "end": true} | {"id": 1, "error": "code", "message": "…"}
"""

import importlib.util
import json
import os
import sys
import types
from pathlib import Path
from typing import Any, BinaryIO

CHUNK_S = 0.1


def main() -> int:
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever coqui prints goes to the log
    try:
        voice = load(Path(sys.argv[1]), accept_cpml="--accept-cpml" in sys.argv[2:])
    except RefusedError as refused:
        tell(out, {"failed": refused.code, "message": str(refused)})
        return 1
    except MemoryError:
        tell(out, {"failed": "voice_out_of_memory", "message": "not enough memory for the model"})
        return 1
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a model's files: the parent tells people
        tell(out, {"failed": "bad_voice_file", "message": f"{type(error).__name__}: {error}"[:300]})
        return 1
    tell(out, voice.about())
    for line in sys.stdin.buffer:
        order = json.loads(line)
        answer(out, voice, order)
    return 0


def answer(out: BinaryIO, voice: "Voice", order: dict[str, Any]) -> None:
    """One utterance, whole or an error."""
    number = order["id"]
    try:
        pcm = voice.speak(order["text"], order["speaker"], order["language"], order["rate"])
    except MemoryError:
        tell(out, {"id": number, "error": "voice_out_of_memory", "message": "not enough memory to speak"})
        return
    except Exception as error:  # noqa: BLE001 - one text that a model cannot say must not end the process
        code = "voice_out_of_memory" if "out of memory" in str(error).lower() else "voice_failed"
        tell(out, {"id": number, "error": code, "message": f"coqui failed ({type(error).__name__})"})
        return
    step = 2 * round(CHUNK_S * voice.rate_hz)
    for start in range(0, len(pcm), step):
        part = pcm[start : start + step]
        tell(out, {"id": number, "bytes": len(part)}, part)
    tell(out, {"id": number, "end": True})


class RefusedError(Exception):
    """A model that is not loaded; `code` is for the parent."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def load(folder: Path, *, accept_cpml: bool) -> "Voice":
    """The model of a folder.

    Raises:
        RefusedError: `licence_not_accepted`, `torchaudio_missing`, `no_speaker`.
    """
    whole = admit_coqui()
    from TTS.config import load_config

    config = load_config(str(folder / "config.json"))
    names = [str(config.get(name, "") or "") for name in ("model", "base_model")]
    if not any(name.lower().startswith("xtts") for name in names):
        return Voice(folder)
    if not accept_cpml:
        raise RefusedError("licence_not_accepted", "it is an XTTS model")
    if not whole:
        wanted = "XTTS wants torchaudio and torchcodec that fit this torch: kitsu install coqui --accept-cpml"
        raise RefusedError("torchaudio_missing", wanted)
    return XttsVoice(folder)


class Voice:
    """A VITS model, loaded."""

    kind = "vits"

    def __init__(self, folder: Path) -> None:
        import torch
        from TTS.utils.synthesizer import Synthesizer

        torch.manual_seed(0)
        speakers = folder / "speakers.pth"
        self._cuda = torch.cuda.is_available()
        self._synthesizer: Any = Synthesizer(
            tts_checkpoint=str(folder / "model.pth"),
            tts_config_path=str(folder / "config.json"),
            tts_speakers_file=str(speakers) if speakers.is_file() else None,
        )
        if self._cuda:
            self._synthesizer.cuda()
        self.rate_hz = int(self._synthesizer.output_sample_rate)

    def about(self) -> dict[str, Any]:
        """What the parent is told first."""
        model = self._synthesizer.tts_model
        speakers = getattr(getattr(model, "speaker_manager", None), "speaker_names", None)
        languages = getattr(getattr(model, "language_manager", None), "language_names", None)
        return {
            "ready": True,
            "kind": self.kind,
            "rate_hz": self.rate_hz,
            "speakers": list(speakers or []),
            "languages": list(languages or []),
            "device": "cuda" if self._cuda else "cpu",
        }

    def speak(self, text: str, speaker: str, language: str, rate: float) -> bytes:
        """s16le mono; empty names: the first there is."""
        model = self._synthesizer.tts_model
        if hasattr(model, "length_scale"):
            model.length_scale = 1.0 / rate
        names = self.about()
        wave = self._synthesizer.tts(
            text,
            speaker_name=speaker or (names["speakers"][0] if names["speakers"] else None),
            language_name=language or (names["languages"][0] if names["languages"] else None),
            split_sentences=False,
        )
        return as_pcm(wave)


class XttsVoice(Voice):
    """An XTTS model, loaded. Its people come from its own list, and from recordings of at least three seconds."""

    kind = "xtts"

    def __init__(self, folder: Path) -> None:
        self._recordings = {path.stem: path for path in sorted((folder / "speakers").glob("*.wav"))}
        if not self._recordings and not (folder / "speakers_xtts.pth").is_file():
            wanted = f"put a recording of 3 s or more into {folder / 'speakers'} (NAME.wav), or speakers_xtts.pth"
            raise RefusedError("no_speaker", f"an XTTS model speaks like somebody: {wanted} beside it")
        super().__init__(folder)
        model = self._synthesizer.tts_model
        self._own = list(getattr(model.speaker_manager, "speaker_names", None) or [])
        model.get_conditioning_latents = once_each(model.get_conditioning_latents)

    def about(self) -> dict[str, Any]:
        names = [*self._recordings, *(name for name in self._own if name not in self._recordings)]
        return super().about() | {"speakers": names, "languages": list(self._synthesizer.tts_model.config.languages)}

    def speak(self, text: str, speaker: str, language: str, rate: float) -> bytes:
        about = self.about()
        speaker = speaker or about["speakers"][0]
        recording = self._recordings.get(speaker)
        who: dict[str, Any] = {"speaker_wav": str(recording)} if recording else {"speaker_name": speaker}
        wave = self._synthesizer.tts(
            text,
            **{"speaker_name": None, **who},
            language_name=language or about["languages"][0],
            split_sentences=False,
            enable_text_splitting=True,  # it takes 400 tokens at once
            speed=rate,
        )
        return as_pcm(wave)


def once_each(compute: Any) -> Any:
    """What XTTS finds out about a recording is always the same, and takes it a while."""
    known: dict[str, Any] = {}

    def latents(audio_path: Any, **how: Any) -> Any:
        if str(audio_path) not in known:
            known[str(audio_path)] = compute(audio_path=audio_path, **how)
        return known[str(audio_path)]

    return latents


def as_pcm(wave: Any) -> bytes:
    """s16le mono, brought to nearly full scale."""
    import numpy

    samples = numpy.asarray(wave, dtype=numpy.float32)
    if not numpy.isfinite(samples).all():
        raise ValueError("the model made no numbers")
    peak = float(numpy.abs(samples).max(initial=0.0))
    scale = 0.9 / peak if peak > 1e-4 else 0.0
    return (samples * scale * 32767).astype("<i2").tobytes()


def admit_coqui() -> bool:
    """Let coqui-tts 0.28 be imported for VITS without torchaudio and torchcodec. True: both work.

    It refuses to start without both, although speaking with VITS uses neither; the builds of torchaudio that package
    registries hold want the CUDA build of torch, and fail beside the CPU's. Where they work, they are left alone.
    """
    try:
        import torchaudio  # noqa: F401

        whole = importlib.util.find_spec("torchcodec") is not None
    except (ImportError, OSError):
        whole = False
        stub: Any = types.ModuleType("torchaudio")
        sys.modules["torchaudio"] = stub
        for part in ("functional", "transforms"):
            sys.modules[f"torchaudio.{part}"] = types.ModuleType(f"torchaudio.{part}")
            setattr(stub, part, sys.modules[f"torchaudio.{part}"])
    if not whole:
        spec = importlib.util.find_spec("TTS")  # the package without its __init__, which does the refusing
        assert spec is not None, "coqui-tts is not installed"
        package: Any = types.ModuleType("TTS")
        package.__path__ = list(spec.submodule_search_locations or ())
        package.__version__ = "0"
        sys.modules["TTS"] = package
    return whole


def tell(out: BinaryIO, head: dict[str, Any], payload: bytes = b"") -> None:
    """One frame."""
    out.write(json.dumps(head).encode() + b"\n" + payload)
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
