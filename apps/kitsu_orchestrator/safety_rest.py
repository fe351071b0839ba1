"""The gate's part of the REST door: why, what is held, and the operator's own words. Family mode is not among it."""

from typing import Any

import msgspec
from fastapi import FastAPI

from kitsu.safety.own import OwnList
from kitsu_orchestrator.problems import RefusedError
from kitsu_orchestrator.rule_keeper import RuleKeeper
from kitsu_orchestrator.schemas import AllowBody, BlockBody, HeldBody, TermBody
from kitsu_orchestrator.show import Show
from kitsu_orchestrator.why import explained, told

MOST = 200


def add_safety(app: FastAPI, show: Show, keeper: RuleKeeper) -> None:
    """All of it."""
    _add_why(app, show)
    _add_held(app, show)
    _add_words(app, keeper)


def _add_why(app: FastAPI, show: Show) -> None:
    @app.get("/turns/{turn_id}/why")
    async def why(turn_id: str) -> dict[str, Any]:
        """What the gate said about each line of a turn. Holds what was blocked."""
        story = await show.story(turn_id)
        if story is None:
            raise RefusedError(404, "no_such_turn", "There is no turn of that id.")
        return told(story, await show.store.why(turn_id))

    @app.get("/safety/verdicts")
    async def verdicts(limit: int = 20, everything: bool = False) -> list[dict[str, Any]]:
        """What the gate changed or kept back last, newest first. Holds what was blocked."""
        rows = await show.store.latest_verdicts(max(1, min(limit, MOST)), everything=everything)
        return [{**row, "because": explained(row)} for row in rows]


def _add_held(app: FastAPI, show: Show) -> None:
    @app.get("/safety/held")
    async def held() -> list[dict[str, Any]]:
        """The lines that wait for the operator, oldest first."""
        return show.studio.held.as_json()

    @app.post("/safety/held/{turn_id}")
    async def answer(turn_id: str, body: HeldBody) -> dict[str, Any]:
        """Let one of them through, this once, or deny it."""
        lines = show.studio.held
        if body.answer == "deny":
            if not lines.deny(turn_id):
                raise _not_held()
            return {"turn_id": turn_id, "answer": "deny"}
        job = lines.allow(turn_id)
        if job is None:
            raise _not_held()
        show.offer(job)
        return {"turn_id": job.turn_id, "answer": "allow_once"}


def _not_held() -> RefusedError:
    return RefusedError(404, "not_held", "That line does not wait any more: it was answered, or its time ran out.")


def _add_words(app: FastAPI, keeper: RuleKeeper) -> None:
    @app.get("/safety/words")
    async def words() -> dict[str, Any]:
        """The operator's own words."""
        return words_json(keeper)

    @app.post("/safety/block")
    async def block(body: BlockBody) -> dict[str, Any]:
        """Block a word from the next text on."""
        await keeper.block(body.term.strip(), body.category, now_only=body.now_only)
        return words_json(keeper)

    @app.post("/safety/unblock")
    async def unblock(body: TermBody) -> dict[str, Any]:
        """Block it no longer."""
        if not await keeper.unblock(body.term.strip()):
            raise RefusedError(
                404, "no_such_term", "That is not on your list; words of configs/safety are changed there."
            )
        return words_json(keeper)

    @app.post("/safety/allow")
    async def allow(body: AllowBody) -> dict[str, Any]:
        """Hold nothing against a phrase any more, or (with `remove`) hold it again."""
        phrase = body.phrase.strip()
        if not body.remove:
            await keeper.allow(phrase)
        elif not await keeper.disallow(phrase):
            raise RefusedError(
                404, "no_such_term", "That is not on your list; phrases of configs/safety are changed there."
            )
        return words_json(keeper)


def words_json(keeper: RuleKeeper) -> dict[str, Any]:
    """The operator's own words, those of this show apart."""

    def blocked(own: OwnList) -> list[dict[str, str]]:
        return [{"term": known.term, "category": known.category} for known in own.blocked]

    return {
        "blocked": blocked(keeper.own),
        "now_only": blocked(keeper.now_only),
        "allowed": msgspec.to_builtins(keeper.own.allowed),
    }
