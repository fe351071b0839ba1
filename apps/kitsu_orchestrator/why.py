"""A verdict in words."""

from typing import Any

_FOUND = {
    ("input", "careful"): "went to the model with a note to be careful",
    ("input", "replace"): "was not passed on; one of her own lines answered",
    ("input", "drop"): "was dropped; nobody saw or answered it",
    ("input", "hold"): "waits for the operator, or waited",
    ("input", "stop"): "was stopped, and the operator told",
    ("output", "replace"): "was not said; one of her own lines took its place",
    ("output", "drop"): "was not said, and nothing after it",
    ("output", "stop"): "was not said; she fell silent at once, and the operator was told",
}
_WHAT = {"question": "The line", "author": "The name", "speech": "This", "chat_reply": "The reply"}


def explained(verdict: dict[str, Any]) -> str:
    """One sentence."""
    what = _WHAT.get(verdict["surface"], "The text")
    if verdict["action"] == "allow":
        if verdict["rule"]:
            return f"{what} was let through by the operator."
        return "This was said." if verdict["stage"] == "output" else f"{what} was let through."
    if verdict["surface"] == "author":
        return f"The name was not shown{_because(verdict)}."
    if verdict["category"] == "gate":
        return f"{what} was blocked, since the gate gave no verdict ({verdict['rule'].removeprefix('gate/')})."
    done = _FOUND.get((verdict["stage"], verdict["action"]), "was blocked")
    return f"{what} {done}{_because(verdict)}."


def _because(verdict: dict[str, Any]) -> str:
    return f" ({verdict['category'].replace('_', ' ')}, rule {verdict['rule']})"


def told(story: dict[str, Any], verdicts: list[dict[str, Any]]) -> dict[str, Any]:
    """The turn and what was said about it, line by line: the shape of `GET /turns/{id}/why`."""
    said = iter(segment["text"] for segment in story["segments"])
    rows = []
    for verdict in verdicts:
        passed = verdict["action"] == "allow" and verdict["stage"] == "output"
        text = next(said, "") if passed else verdict["text"] or _asked(story, verdict)
        rows.append({**verdict, "text": text, "because": explained(verdict)})
    fields = ("turn_id", "conv", "kind", "accepted_at", "outcome", "reason", "heard")
    return {**{name: story[name] for name in fields}, "verdicts": rows}


def _asked(story: dict[str, Any], verdict: dict[str, Any]) -> str:
    text: str = story["text"] if verdict["surface"] == "question" and verdict["action"] == "allow" else ""
    return text
