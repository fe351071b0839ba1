"""`kitsu safety …`: what is held, and the operator's own words. The latter also while nothing runs."""

from argparse import Namespace
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from kitsu_cli import screen
from kitsu_cli.exits import Exit
from kitsu_cli.own_words import change, listed
from kitsu_cli.running import doors


def run(arguments: Namespace) -> int:
    """One of the words below."""
    return _VERBS[arguments.what](arguments)


def _held(arguments: Namespace) -> int:
    lines = doors().orchestrator.get("/safety/held")
    if arguments.json:
        screen.write_json({"held": lines})
        return Exit.OK
    if not lines:
        print("No line waits for you.")
    for line in lines:
        left = screen.duration(line.get("expires_in_s", 0))
        about = f"{line.get('turn_id')}  {line.get('author')} ({line.get('category')}), {left} left"
        screen.write([[(screen.fit(about, screen.WIDTH).rstrip(), "bold")]])
        screen.write([[(f"  {part}", "")] for part in screen.wrap(str(line.get("text", "")), screen.WIDTH - 2)])
    if lines:
        print("Let one through, or not: kitsu safety allow-once TURN, kitsu safety deny TURN")
    return Exit.OK


def _answer(arguments: Namespace) -> int:
    answer = arguments.what.replace("-", "_")
    path = f"/safety/held/{quote(arguments.turn, safe='')}"
    done = doors().orchestrator.post(path, {"answer": answer})
    if arguments.json:
        screen.write_json(done)
    else:
        print("She answers it now." if answer == "allow_once" else "Forgotten.")
    return Exit.OK


def _block(arguments: Namespace) -> int:
    body = {"term": arguments.term, "category": arguments.category, "now_only": arguments.now_only}
    return _changed(
        "block", body, arguments, "Blocked" + (" until the show is restarted." if arguments.now_only else ".")
    )


def _unblock(arguments: Namespace) -> int:
    return _changed("unblock", {"term": arguments.term}, arguments, "Not on your list any more.")


def _allow(arguments: Namespace) -> int:
    said = "Not on your list any more." if arguments.remove else "Nothing is held against that any more."
    return _changed("allow", {"phrase": arguments.phrase, "remove": arguments.remove}, arguments, said)


def _changed(verb: str, body: dict[str, Any], arguments: Namespace, said: str) -> int:
    words, live = change(verb, body)
    if arguments.json:
        screen.write_json({**words, "live": live})
    else:
        print(said if live else f"{said} Nothing runs here now; it counts from the next start on.")
    return Exit.OK


def _list(arguments: Namespace) -> int:
    words, live = listed()
    if arguments.json:
        screen.write_json({**words, "live": live})
        return Exit.OK
    rows = [(row, "blocked") for row in words["blocked"]] + [(row, "blocked now") for row in words["now_only"]]
    for row, how in rows:
        screen.write([[(screen.fit(how, 14) + screen.plain(f"{row['term']}  ({row['category']})"), "")]])
    for phrase in words["allowed"]:
        screen.write([[(screen.fit("allowed", 14) + screen.plain(phrase), "")]])
    if not rows and not words["allowed"]:
        print("No words of your own yet: kitsu safety block TERM, kitsu safety allow PHRASE")
    return Exit.OK


def _test(arguments: Namespace) -> int:
    from kitsu_cli.verbs import safety_test  # reads the rules, which the other words need not

    return safety_test.run(arguments)


_VERBS: dict[str, Callable[[Namespace], int]] = {
    "held": _held,
    "allow-once": _answer,
    "deny": _answer,
    "block": _block,
    "unblock": _unblock,
    "allow": _allow,
    "list": _list,
    "test": _test,
}
