"""The package behind the vote, as scikit-learn would have fitted it on one word each way: the same names and shapes.

Its `predict_prob` goes the long way round, sample by sample; ours must give the same.
"""

import math
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

HARSH, KIND = "grumblefoo", "sunshine"
FOLDS = ((40.0, 0.5), (38.0, 0.4))  # weight of the harsh word, offset
SLOPE, SHIFT = -1.0, 6.0


class Vectorizer:
    """Counts two words."""

    def transform(self, texts: list[str]) -> Any:
        words = texts[0].lower().split()
        counts = [words.count(HARSH), words.count(KIND)]
        indices = [index for index, count in enumerate(counts) if count]
        length = math.hypot(*counts) or 1.0
        return SimpleNamespace(
            indices=np.array(indices, dtype=np.int32),
            data=np.array([counts[index] / length for index in indices]),
        )


def model() -> Any:
    folds = [
        SimpleNamespace(
            estimator=SimpleNamespace(coef_=np.array([[weight, -weight]]), intercept_=np.array([offset])),
            calibrators=[SimpleNamespace(a_=np.float64(SLOPE), b_=np.float64(SHIFT))],
        )
        for weight, offset in FOLDS
    ]
    return SimpleNamespace(calibrated_classifiers_=folds)


def predict_prob(texts: list[str]) -> Any:
    return np.array([sum(_fold(text, *fold) for fold in FOLDS) / len(FOLDS) for text in texts])


def _fold(text: str, weight: float, offset: float) -> float:
    row = Vectorizer().transform([text])
    margin = offset + sum(
        value * (weight if index == 0 else -weight) for index, value in zip(row.indices, row.data, strict=True)
    )
    return 1 / (1 + math.exp(SLOPE * margin + SHIFT))


def install(monkeypatch: pytest.MonkeyPatch, **parts: Any) -> None:
    """Have it imported in place of the real one; `parts` are put in place of its own."""
    package, inner = ModuleType("profanity_check"), ModuleType("profanity_check.profanity_check")
    package.__dict__.update({"predict_prob": predict_prob, "profanity_check": inner} | parts)
    inner.__dict__.update({"model": model(), "vectorizer": Vectorizer()} | parts)
    for module in (package, inner):
        monkeypatch.setitem(sys.modules, module.__name__, module)


def uninstall(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have it missing, also where it is installed."""
    for name in ("profanity_check", "profanity_check.profanity_check"):
        monkeypatch.setitem(sys.modules, name, None)
