"""The gate: nothing reaches an audience except through it.

    rule files ─► RuleSet ─► Gate ─► judge_input(line, name)          ─► InputVerdict   question, author: Approved
                               ├──► judge_reply(line)           ─► ReplyVerdict   reply: Approved
                               └──► window(turn) ─► judge(segment) … ─► OutputVerdict  speech, caption: Approved

No verdict (`GateError`) counts as a block everywhere.
"""

from kitsu.safety.gate import ClosedGate, ClosedWindow, Gate, OutputWindow
from kitsu.safety.loading import load_rules
from kitsu.safety.rules import Category, Finding, RuleSet, Stage
from kitsu.safety.verdict import InputVerdict, Judge, OutputVerdict, ReplyVerdict, Why, Window

__all__ = [
    "Category",
    "ClosedGate",
    "ClosedWindow",
    "Finding",
    "Gate",
    "InputVerdict",
    "Judge",
    "OutputVerdict",
    "OutputWindow",
    "ReplyVerdict",
    "RuleSet",
    "Stage",
    "Why",
    "Window",
    "load_rules",
]
