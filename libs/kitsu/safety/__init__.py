"""The gate: nothing reaches an audience except through it.

    rule files ─► RuleSet ─► Gate ─► judge_input(line, name)          ─► InputVerdict   question, author: Approved
                               ├──► judge_reply(line)                 ─► ReplyVerdict   reply: Approved
                               ├──► judge_obs_text(line)              ─► ObsTextVerdict text: Approved
                               └──► window(turn) ─► judge(segment) … ─► OutputVerdict  speech, caption: Approved

No verdict (`GateError`) counts as a block everywhere.
"""

from kitsu.safety.actions import Action, Actions, Treatment
from kitsu.safety.closed import ClosedGate, ClosedWindow
from kitsu.safety.gate import Gate, OutputWindow
from kitsu.safety.leakage import PromptWatch
from kitsu.safety.loading import Rulebook, load_rulebook, load_rules
from kitsu.safety.rules import Category, Finding, RuleSet, Stage
from kitsu.safety.verdict import InputVerdict, Judge, ObsTextVerdict, OutputVerdict, ReplyVerdict, Why, Window

__all__ = [
    "Action",
    "Actions",
    "Category",
    "ClosedGate",
    "ClosedWindow",
    "Finding",
    "Gate",
    "InputVerdict",
    "Judge",
    "ObsTextVerdict",
    "OutputVerdict",
    "OutputWindow",
    "PromptWatch",
    "ReplyVerdict",
    "RuleSet",
    "Rulebook",
    "Stage",
    "Treatment",
    "Why",
    "Window",
    "load_rulebook",
    "load_rules",
]
