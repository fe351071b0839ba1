"""OBS kept on the safe scene, and what it takes to let it go again.

What was done is kept as the steps that take it back, in a file: a worker, an OBS or a machine that restarts in the
middle of a panic must still find the way back to exactly what was before.
"""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kitsu.protocol import Held
from kitsu_obs.performing import Performance
from kitsu_obs.picture import Picture
from kitsu_obs.presets import PanicPlan
from kitsu_obs.steps import AnyStep, Mute, Override, Record, Scene, Stream

OUTPUTS = {"record": Record(on=False), "stream": Stream(on=False)}


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The file."""

    why: Held
    undo: list[AnyStep]


class Hold:
    """Why OBS is held (empty: it is not) and the way back."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.why: Held = ""
        self.undo: list[AnyStep] = []

    def read(self) -> None:
        """Take up what an earlier run left.

        Raises:
            OSError: the file is there, and cannot be read.
            ValueError: or is not what was written.
        """
        try:
            kept = msgspec.json.decode(self.file.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from None
        self.why, self.undo = kept.why, kept.undo

    def begin(self, why: Held) -> None:
        """Held from now on. A panic is the stronger reason, and stays it."""
        if self.why != "panic":
            self.why = why

    def note(self, performance: Performance) -> None:
        """Remember how to take back what was just done. What was noted before is older, and so the truth."""
        known = {_subject(step) for step in self.undo}
        for result in performance.results:
            if result.seen is None or result.already or result.error:
                continue
            step = result.step.undo(result.seen)
            if step is not None and _subject(step) not in known:
                self.undo.append(step)

    def presume(self, picture: Picture, safe_scene: str) -> None:
        """OBS did not say how it was: the last that was seen of it must do."""
        known = {_subject(step) for step in self.undo}
        guessed: list[AnyStep] = [Mute(input=one.name, on=False) for one in picture.inputs.values() if not one.muted]
        if picture.scene and picture.scene != safe_scene:
            guessed.append(Scene(scene=picture.scene))
        self.undo += [step for step in guessed if _subject(step) not in known]

    def way_back(self) -> list[AnyStep]:
        """The steps that take everything back, the scene first."""
        return sorted(self.undo, key=lambda step: not isinstance(step, Scene))

    def end(self) -> None:
        """Not held any more."""
        self.why, self.undo = "", []

    def write(self) -> None:
        """Make the file say what is true now.

        Raises:
            OSError: it cannot be written.
        """
        if not self.why:
            self.file.unlink(missing_ok=True)
            return
        temporary = self.file.with_name(f".{self.file.name}.{secrets.token_hex(4)}")
        try:
            temporary.write_bytes(msgspec.json.encode(_Kept(why=self.why, undo=self.undo)))
            temporary.replace(self.file)
        finally:
            temporary.unlink(missing_ok=True)


def safe_steps(picture: Picture, plan: PanicPlan, safe_scene: str) -> list[AnyStep]:
    """The macro, most urgent first."""
    steps: list[AnyStep] = [Override(scene=safe_scene, transition=picture.cut)] if picture.cut else []
    steps.append(Scene(scene=safe_scene))
    if plan.mute:
        steps += [Mute(input=name) for name in picture.inputs if name not in plan.keep]
    steps += [one.step() for one in plan.filters]
    return steps + [OUTPUTS[name] for name in plan.stop]


def proof(performance: Performance, safe_scene: str) -> str:
    """What OBS itself said, in a line."""
    scene = next(result for result in performance.results if isinstance(result.step, Scene))
    muted = [result for result in performance.results if isinstance(result.step, Mute)]
    on_air = "was on air already" if scene.already else f"on air after {scene.proven_ms or 0.0:.0f} ms"
    return f"{safe_scene} {on_air}, {len(muted)} inputs muted"


def missing(performance: Performance) -> str:
    """What was not done, in a line; empty when all was."""
    bad = [result.told() for result in performance.results if not result.good]
    return "; ".join(f"{one.step}: {one.detail}" for one in bad)[:300]


def _subject(step: AnyStep) -> str:
    """What a step is about, without what it does to it."""
    fields: Sequence[str] = [name for name in ("input", "source", "filter") if hasattr(step, name)]
    return json.dumps([type(step).__name__, *(getattr(step, name) for name in fields)])
