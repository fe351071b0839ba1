"""The vote makes other signals weigh more. Alone it blocks nothing, and nothing that goes wrong in it blocks."""

import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kitsu.config import SafetySettings
from kitsu.errors import GateError
from kitsu.safety import Actions, Gate, RuleSet, Treatment, load_rulebook
from kitsu.safety.guard import GuardedGate, GuardModel
from kitsu.safety.vote import CATEGORY, LinearVote, VotedGate
from tests.fakes import profanity_check
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama_exchange import Script
from tests.fakes.ollama_faults import hang_after, refuse
from tests.fakes.profanity_check import HARSH, KIND
from tests.unit.safety.conftest import KEY, RULES

BAD, MILD, ODD = "zorbly", "flumpen", "quorble"


def voter(monkeypatch: pytest.MonkeyPatch) -> LinearVote:
    profanity_check.install(monkeypatch)
    vote = LinearVote(0.9)
    vote.load()
    return vote


@pytest.fixture
def vote(monkeypatch: pytest.MonkeyPatch) -> LinearVote:
    return voter(monkeypatch)


def voted(vote: LinearVote, **treatments: Treatment) -> VotedGate:
    """A gate that blocks BAD, is careful with ODD, and would block MILD one level higher."""
    actions = Actions({"odd": Treatment(input="careful", output="allow"), **treatments})
    rules = RuleSet(()).with_terms([BAD], category="bad").with_terms([ODD], category="odd")
    milder = RuleSet(()).with_terms([MILD], category="mild")
    return VotedGate(Gate(rules, KEY, actions=actions, budget_ms=2000), vote, lambda: (milder, actions))


async def ask(gate: Any, text: str) -> Any:
    return await gate.judge_input(text, author="Ann", turn_id="t")


# What it changes


async def test_alone_it_makes_a_line_careful(vote: LinearVote) -> None:
    verdict = await ask(voted(vote), f"you {HARSH}")
    assert (verdict.allowed, verdict.text, verdict.question) == (True, f"you {HARSH}", None)
    assert (verdict.why.rule, verdict.why.category, verdict.why.view) == ("vote", CATEGORY, "vote")
    assert (verdict.why.action, verdict.judged) == ("careful", f"you {HARSH}")
    assert verdict.author is not None


async def test_alone_it_changes_nothing_that_she_says(vote: LinearVote) -> None:
    gate = voted(vote)
    verdict = await gate.window("t").judge(f"You {HARSH}")
    assert (verdict.speech is not None, verdict.caption is not None, verdict.why.rule) == (True, True, "")
    assert (await gate.judge_reply(f"@ann {HARSH}", turn_id="t")).reply is not None
    assert vote.counts["strong"] == 2


async def test_with_a_milder_rule_it_blocks(vote: LinearVote) -> None:
    gate = voted(vote)
    for text, allowed in ((f"a {MILD}", True), (f"a {HARSH} {MILD}", False)):
        assert (await ask(gate, text)).allowed is allowed
        assert (await gate.window("t").judge(text)).allowed is allowed
        assert ((await gate.judge_reply(text, turn_id="t")).reply is not None) is allowed
    verdict = await ask(gate, f"a {HARSH} {MILD}")
    assert verdict.why.rule.startswith("vote+mild/term-")
    assert (verdict.why.category, verdict.why.view, verdict.why.action) == ("mild", "skeleton", "drop")
    assert verdict.judged[verdict.why.start : verdict.why.end] == MILD
    assert (verdict.text, verdict.question) == ("", None)
    said = await gate.window("t").judge(f"a {HARSH} {MILD}")
    assert (said.why.action, said.speech, said.caption, said.judged) == ("replace", None, None, f"a {HARSH} {MILD}")


async def test_a_milder_rule_in_disguise(vote: LinearVote) -> None:
    assert not (await ask(voted(vote), f"a {HARSH} f l u m p e n")).allowed


async def test_what_is_allowed_stays_allowed(vote: LinearVote) -> None:
    gate = voted(vote, mild=Treatment(input="allow", output="allow"))
    assert (await ask(gate, f"a {HARSH} {MILD}")).why.rule == "vote"
    assert (await gate.window("t").judge(f"a {HARSH} {MILD}")).allowed


async def test_a_line_to_be_careful_with_is_dropped(vote: LinearVote) -> None:
    gate = voted(vote)
    assert (await ask(gate, f"a {ODD}")).why.action == "careful"
    verdict = await ask(gate, f"a {ODD} {HARSH}")
    assert (verdict.allowed, verdict.text, verdict.why.action, verdict.why.category) == (False, "", "drop", "odd")
    assert verdict.why.rule.startswith("vote+odd/")


async def test_what_the_rules_block_is_not_asked_about(vote: LinearVote) -> None:
    gate = voted(vote)
    verdict = await ask(gate, f"you {BAD} {HARSH}")
    assert (verdict.allowed, verdict.why.rule.startswith("bad/")) == (False, True)
    assert not (await gate.window("t").judge(f"you {BAD} {HARSH}")).allowed
    assert (await gate.judge_reply(f"{BAD} {HARSH}", turn_id="t")).reply is None
    assert vote.counts.total() == 0


async def test_kind_words_and_the_operators_own_are_let_be(vote: LinearVote) -> None:
    gate = voted(vote)
    assert (await ask(gate, KIND)).question is not None
    assert (await gate.pardon(f"{HARSH} {MILD}", author="Ann", turn_id="t")).allowed
    assert (await gate.judge_obs_text(f"{HARSH} {MILD}", turn_id="obs")).text is not None
    assert vote.counts == {"weak": 1}


async def test_a_milder_rule_that_fails_is_a_block(vote: LinearVote) -> None:
    class Broken(RuleSet):
        def find(self, *_: Any) -> Any:
            raise MemoryError

    gate = VotedGate(Gate(RuleSet(()), KEY), vote, lambda: (Broken(()), Actions()))
    with pytest.raises(GateError) as caught:
        await ask(gate, HARSH)
    assert caught.value.code == "gate_failed"


# Beside a guard model


@pytest.mark.parametrize("silence", [refuse(500, "out of memory"), hang_after(0)], ids=["down", "late"])
async def test_while_the_guard_is_silent_a_strong_vote_blocks(vote: LinearVote, silence: Script) -> None:
    async with FakeOllama("llama-guard3:1b") as ollama:
        guard = GuardModel(ollama.url, "llama-guard3:1b", 100.0)
        gate = GuardedGate(voted(vote), guard, "rules", vote.strong)
        try:
            ollama.script(*[silence] * 4)
            assert (await ask(gate, KIND)).allowed
            verdict = await ask(gate, HARSH)
            assert (verdict.allowed, verdict.why.view, verdict.why.action) == (False, "vote", "drop")
            assert verdict.why.rule == f"vote+guard/{guard.trouble}"
            assert (await gate.judge_reply(HARSH, turn_id="t")).reply is None
            said = await gate.window("t").judge(HARSH)
            assert (said.allowed, said.why.action) == (False, "replace")
            ollama.reply = ["safe"]
            assert (await ask(gate, HARSH)).allowed, "its opinion counts more than the vote"
        finally:
            await guard.close()


# The model


def test_our_sums_are_the_packages(vote: LinearVote) -> None:
    texts = ("", HARSH, KIND, f"{HARSH} {KIND}", HARSH.upper())
    assert [text for text in texts if vote.strong(text)] == [HARSH, HARSH.upper()]
    assert vote.counts == {"strong": 2, "weak": 3}
    assert vote.trouble == ""


def test_before_it_is_loaded_it_does_not_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    profanity_check.install(monkeypatch)
    vote = LinearVote(0.9)
    assert (vote.strong(HARSH), vote.trouble, vote.counts.total()) == (False, "loading", 0)


async def test_without_the_package_the_rules_judge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    profanity_check.uninstall(monkeypatch)
    vote = LinearVote(0.9)
    with pytest.raises(GateError, match=r"pip install kitsu\[vote\]") as caught:
        vote.load()
    assert (caught.value.code, vote.trouble) == ("vote_missing", "missing")
    gate = voted(vote)
    assert (await ask(gate, HARSH)).question is not None
    assert not (await ask(gate, BAD)).allowed


def _stupid(*_: Any) -> Any:
    raise RuntimeError("fitted by another version")


@pytest.mark.parametrize(
    "parts",
    [
        {"model": SimpleNamespace()},
        {"model": SimpleNamespace(calibrated_classifiers_=[])},
        {"vectorizer": SimpleNamespace(transform=_stupid)},
        {"predict_prob": _stupid},
        {"predict_prob": lambda texts: np.full(len(texts), 0.5)},
    ],
    ids=["another kind", "empty", "no transform", "no answer", "other answers"],
)
def test_a_model_that_is_not_what_we_know_does_not_vote(monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any]) -> None:
    profanity_check.install(monkeypatch, **parts)
    vote = LinearVote(0.9)
    with pytest.raises(GateError) as caught:
        vote.load()
    assert (caught.value.code, vote.trouble, vote.strong(HARSH)) == ("vote_broken", "broken", False)


@pytest.mark.parametrize("error", [ValueError, MemoryError, UnicodeError, ZeroDivisionError, KeyError])
async def test_a_fault_in_the_model_is_no_vote(vote: LinearVote, error: type[Exception]) -> None:
    def fail(text: str) -> float:
        raise error

    vote._score = fail
    gate = voted(vote)
    assert (await ask(gate, HARSH)).question is not None
    assert (await gate.window("t").judge(f"{HARSH} {MILD}")).allowed
    assert vote.counts == {"failed": 2}


@pytest.mark.parametrize("answer", [float("nan"), float("-inf")])
def test_no_number_is_no_vote(vote: LinearVote, answer: float) -> None:
    vote._score = lambda text: answer
    assert not vote.strong(HARSH)


# The real one, where it is installed


HOSTILE = {
    "1 MB": "you idiot " * 100_000,
    "one word of 1 MB": "x" * 1_000_000,
    "surrogates": "\ud800" * 2000,
    "zeros": "\0" * 2000,
    "combining": "e" + "\u0301" * 4000,
    "every plane": "".join(map(chr, range(0, 0x110000, 300))),
    "nothing": "",
}


@pytest.fixture(scope="module")
def real() -> LinearVote:
    pytest.importorskip("profanity_check")
    vote = LinearVote(0.99)
    vote.load()
    return vote


def test_the_real_model_votes(real: LinearVote) -> None:
    assert real.strong("you are a stupid idiot")
    assert not real.strong("what a lovely stream, see you tomorrow")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_real_model_takes_anything(real: LinearVote, text: str) -> None:
    failed, began = real.counts["failed"], time.process_time()
    real.strong(text)
    assert real.counts["failed"] == failed
    assert time.process_time() - began < 0.1  # 0.4 ms as a rule


async def test_a_gate_with_it_takes_a_megabyte(real: LinearVote) -> None:
    gate = voted(real)
    assert (await ask(gate, "you idiot " * 100_000)).why.rule == "too_long"
    assert (await gate.window("t").judge("you idiot " * 100_000)).why.rule == "too_long"


# The rules one level higher


def test_milder_rules_are_those_that_do_not_count_yet() -> None:
    book = load_rulebook(RULES, family_mode=True)
    assert book.rules.find("well damn", "input") is None
    found = book.milder.find("well damn", "input")
    assert (found and found.category, found and found.level) == ("profanity", 4)
    assert all(
        rule.level == book.levels[known.name] + 1
        for known in book.milder.categories
        for rule in (*known.lexicons, *known.patterns)
    )


def test_a_category_that_is_off_stays_off() -> None:
    book = load_rulebook(RULES, family_mode=False)
    assert book.levels["profanity"] == 0
    assert "profanity" not in [known.name for known in book.milder.categories]
    assert load_rulebook(RULES, family_mode=True, levels={"profanity": 4}).milder.find("well damn", "input") is None


def test_it_is_off_as_it_comes() -> None:
    assert SafetySettings().vote is False


def test_it_costs_nothing_to_whoever_does_not_load_it() -> None:
    code = (
        "import kitsu.safety.vote, sys; "
        "print([name for name in ('numpy', 'sklearn', 'scipy', 'profanity_check') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
