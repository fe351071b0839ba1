"""Which Piper voices lie in a folder. A voice is NAME.onnx with NAME.onnx.json beside it."""

from pathlib import Path


def voices(folder: Path) -> list[str]:
    """Names of complete voices, in order."""
    return sorted(path.stem for path in folder.glob("*.onnx") if _described(path))


def incomplete(folder: Path) -> list[str]:
    """Names of voices without their description."""
    return sorted(path.stem for path in folder.glob("*.onnx") if not _described(path))


def half(folder: Path) -> list[str]:
    """Names of voices whose download was cut."""
    return sorted(path.name.removesuffix(".onnx.part") for path in folder.glob("*.onnx.part"))


def _described(path: Path) -> bool:
    return path.with_name(f"{path.name}.json").is_file()
