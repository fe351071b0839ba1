"""The shipped rules on the corpus: what is missed and what is blocked in error, by category and technique."""

import asyncio
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from kitsu.config import CHECKOUT
from kitsu.errors import KitsuError
from kitsu.safety import Gate, load_rules
from kitsu.safety.scoring import Row, Score, read_rows, score

CORPUS = Path(__file__).parent / "corpus"
KEY = bytes(32)
EVASIONS_WELL_MET = [
    "base64", "bidi", "case", "combining", "fullwidth", "hashtag", "hex", "html_entities", "leet", "lookalike",
    "masked", "morse", "pig_latin", "repeats", "reversed", "rot13", "separators", "soft_hyphen", "spaced",
    "styled", "url_encoded", "zero_width",
]  # fmt: skip


def rows() -> list[Row]:
    return [row for path in sorted(CORPUS.glob("*.jsonl")) for row in read_rows(path)]


@cache
def result() -> Score:
    gate = Gate(load_rules(CHECKOUT / "configs" / "safety", family_mode=True), KEY, budget_ms=5000)
    return asyncio.run(score(gate, rows()))


def test_the_corpus_has_every_family_both_ways() -> None:
    found = rows()
    assert len({row.id for row in found}) == len(found) > 1000
    assert Counter((row.stage, row.expect) for row in found).most_common()[-1][1] > 150
    assert {"split", "username", *EVASIONS_WELL_MET} <= {row.technique for row in found}


def test_nearly_everything_bad_is_blocked() -> None:
    bad = sum(row.expect == "block" for row in rows())
    assert len(result().misses) / bad <= 0.05, result().misses


def test_innocent_talk_passes() -> None:
    innocent = sum(row.expect == "allow" for row in rows())
    assert len(result().false_alarms) / innocent <= 0.01, result().false_alarms


def test_the_scunthorpe_family_passes() -> None:
    assert result().categories["scunthorpe (allow)"].wrong == 0


@pytest.mark.parametrize("technique", EVASIONS_WELL_MET)
def test_disguises_hide_little(technique: str) -> None:
    tally = result().techniques[f"{technique} (block)"]
    assert tally.wrong / tally.rows <= 0.2, f"{tally.wrong} of {tally.rows}"


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": 1}', '{"id":"a","stage":"both","text":"","expect":"block","category":"x"}', "\xff"]
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, line: str) -> None:
    good = json.dumps({"id": "a", "stage": "input", "text": "", "expect": "allow", "category": "x"})
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{good}\n\n{line}\n", encoding="latin-1")
    with pytest.raises(KitsuError, match="line 3") as caught:
        read_rows(path)
    assert caught.value.code == "bad_corpus"


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    rules = load_rules(CHECKOUT / "configs" / "safety", family_mode=True).with_terms(["zorbly"])
    texts: list[tuple[str, Literal["block", "allow"]]] = [
        ("zorbly", "block"), ("hello", "block"), ("zor\nbly", "block"), ("zorbly!", "allow"), ("hello", "allow"),
    ]  # fmt: skip
    table = [
        Row(str(place), "input", text, expect, "x", "split" if "\n" in text else "plain")
        for place, (text, expect) in enumerate(texts)
    ]
    figures = asyncio.run(score(Gate(rules, KEY), table)).figures()
    assert (figures["rows"], figures["misses"], figures["false_alarms"]) == (5, ["1"], ["3"])
    assert figures["categories"] == {"x (allow)": [2, 1], "x (block)": [3, 1]}
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
