"""What is done with what the rules find: by category, stage and surface, as categories.yaml says.

allow    nothing
careful  the line goes to the model with a note to be careful; the overlay does not show it   (input only)
replace  one of her own lines for that category is said instead
drop     silence
hold     the line waits for the operator                                                     (input only)
stop     silence at once, also of what is sounding, and the operator is told
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kitsu.protocol.approved import SurfaceName
from kitsu.safety.rules import Stage

OutputAction = Literal["allow", "replace", "drop", "stop"]
Action = Literal["allow", "careful", "replace", "drop", "hold", "stop"]
Level = Literal[0, 1, 2, 3, 4]

LETS_THROUGH: frozenset[Action] = frozenset({"allow", "careful"})
FAMILY_LEVEL: Level = 3  # family mode: no category is weaker than this


@dataclass(frozen=True, slots=True)
class Treatment:
    """One category's actions."""

    input: Action = "drop"
    output: OutputAction = "replace"
    surfaces: Mapping[SurfaceName, OutputAction] = field(default_factory=dict)  # where it differs
    crisis: bool = False  # somebody may be at risk: one calm line, and the operator is told

    def counts_at(self, stage: Stage) -> bool:
        """Whether a finding at this stage would change anything."""
        return (self.input if stage == "input" else self.output) != "allow" or any(
            action != "allow" for action in self.surfaces.values()
        )


_USUAL = Treatment()
_UNTOLD = {"leakage": Treatment(input="allow", output="stop")}  # found without a rule of the files, see `PromptWatch`


@dataclass(frozen=True, slots=True)
class Actions:
    """The actions of all categories. One that has none here (a term of the operator's own) is treated as usual."""

    treatments: Mapping[str, Treatment] = field(default_factory=dict)

    def of(self, category: str, stage: Stage, surface: SurfaceName) -> Action:
        """What to do with a finding."""
        treatment = self.treatments.get(category) or _UNTOLD.get(category, _USUAL)
        return treatment.surfaces.get(surface) or (treatment.input if stage == "input" else treatment.output)

    def is_crisis(self, category: str) -> bool:
        """Whether who wrote it may be at risk."""
        return self.treatments.get(category, _USUAL).crisis
