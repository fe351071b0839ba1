"""The REST door's part for VTube Studio: every order is answered when VTube Studio itself has confirmed it."""

from typing import Any

from fastapi import FastAPI

from kitsu_orchestrator.problems import RefusedError
from kitsu_orchestrator.schemas import ExpressionBody
from kitsu_orchestrator.show import Show


def add_vts(app: FastAPI, show: Show) -> None:
    """`/vts…`."""

    @app.get("/vts")
    async def vts() -> dict[str, Any]:
        """The link to VTube Studio."""
        return show.vts.as_json()

    @app.post("/vts/expr")
    async def expression(body: ExpressionBody) -> dict[str, Any]:
        """A face or a gesture, now. Answers when VTube Studio itself has confirmed it."""
        if body.word not in show.studio.character.expressions | show.studio.character.actions:
            raise RefusedError(
                404, "no_such_word", f"{show.studio.character.name} has no face or gesture of that name."
            )
        if show.levels.now.panic is not None:
            raise RefusedError(409, "panicked", "The panic holds: the face stays neutral until `resume`.")
        done = await show.vts.express(body.word)
        return {"word": body.word, "confirmed_by": done.confirmed_by, "latency_ms": done.latency_ms}

    @app.post("/vts/reset")
    async def reset_vts() -> dict[str, Any]:
        """The link anew; answers when it stands again."""
        done = await show.vts.reset()
        return {**show.vts.as_json(), "latency_ms": done.latency_ms}
