"""Models as a user may have them loaded, with their hotkeys and expressions."""

from dataclasses import dataclass, field
from hashlib import md5

EXPRESSION_ENDING = ".exp3.json"


@dataclass
class Hotkey:
    """README, "Requesting list of hotkeys". `type`: a name from Files/HotkeyAction.cs."""

    name: str
    type: str = "TriggerAnimation"
    file: str = ""

    @property
    def id(self) -> str:
        return md5(f"{self.name}{self.type}{self.file}".encode(), usedforsecurity=False).hexdigest()


@dataclass
class Model:
    """`expressions`: files, and whether each is active."""

    name: str
    hotkeys: list[Hotkey] = field(default_factory=list)
    expressions: dict[str, bool] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Events/README, "Model loaded": 32 hex characters."""
        return md5(self.name.encode(), usedforsecurity=False).hexdigest()

    def hotkey(self, wanted: str) -> Hotkey | None:
        """README, "Requesting execution of hotkeys": by id, or by name whatever its case; the first of several."""
        named = (key for key in self.hotkeys if key.name and key.name.lower() == wanted.lower())
        return next((key for key in self.hotkeys if key.id == wanted), None) or next(named, None)


def fox() -> Model:
    """Expressions named as many models name them, animations on hotkeys."""
    return Model(
        "Fox",
        [
            Hotkey("Wave", file="wave.motion3.json"),
            Hotkey("Nod", file="nod.motion3.json"),
            Hotkey("Blush", "ToggleExpression", "cheeks.exp3.json"),
            Hotkey("Clear", "RemoveAllExpressions"),
            Hotkey("Shake", "ChangeVTSModel", "owl.vtube.json"),  # a trap: named like a gesture
            Hotkey("", "TriggerAnimation", "nameless.motion3.json"),
        ],
        dict.fromkeys(
            (
                "smile.exp3.json",
                "eyes_happy.exp3.json",
                "Sad.exp3.json",
                "Wink.exp3.json",
                "cheeks.exp3.json",
                "glasses.exp3.json",
            ),
            False,
        ),
    )


def owl() -> Model:
    """Another one: fewer things, other names."""
    return Model("Owl", [Hotkey("wave wing", file="wing.motion3.json")], {"smile.exp3.json": False})
