"""Everything that can go wrong at the REST door, in one shape: `{"error": {"code", "message"}}`."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from kitsu.errors import KitsuError

_STATUS = {
    "no_such_service": 404,
    "too_many_conversations": 503,
    "store_failed": 503,
    "bad_term": 422,
    "no_such_category": 422,
    "gate_closed": 409,
    "own_words_not_saved": 503,
    "no_such_voice": 404,
    "no_such_engine": 404,
    "no_such_word": 404,
    "vts_panic": 409,
    "device_missing": 404,
    "launcher_missing": 503,
    "no_such_scene": 404,
    "no_such_preset": 404,
    "obs_held": 409,
    "obs_step_failed": 409,
    "obs_not_configured": 409,
    "vts_not_configured": 409,
    "blocked": 422,
    "bad_sound_file": 422,
    "empty_file": 422,
    "file_too_long": 413,
    "file_cut": 400,
    "transcript_too_long": 422,
    "asr_not_configured": 409,
}
_CODES = {404: "not_found", 405: "method_not_allowed"}


class RefusedError(KitsuError):
    """A request that the show refuses; `status` is the HTTP status."""

    def __init__(self, status: int, code: str, message: str, *, turn_id: str = "") -> None:
        super().__init__(code, message)
        self.status = status
        self.turn_id = turn_id


def add_errors(app: FastAPI) -> None:
    """Answer errors of every kind."""

    @app.exception_handler(RefusedError)
    async def refused(request: Request, error: RefusedError) -> JSONResponse:
        return problem(error.status, error.code, error.message, **({"turn_id": error.turn_id} if error.turn_id else {}))

    @app.exception_handler(KitsuError)
    async def failed(request: Request, error: KitsuError) -> JSONResponse:
        return problem(_STATUS.get(error.code, 503), error.code, error.message)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])[:80] or "the body"
        code = "text_too_long" if first["type"] == "string_too_long" and where == "text" else "bad_request"
        return problem(422, code, f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        answer = problem(error.status_code, _CODES.get(error.status_code, "bad_request"), str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def crashed(request: Request, error: Exception) -> JSONResponse:
        return problem(500, "internal", "That went wrong in a way nobody thought of; the log knows more.")


def problem(status: int, code: str, message: str, **more: str) -> JSONResponse:
    """An error as an answer."""
    return JSONResponse({"error": {"code": code, "message": message, **more}}, status)


def spoken_text(text: str) -> str:
    """A line that somebody could have said.

    Raises:
        RefusedError: `empty_text`, `bad_text`.
    """
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise RefusedError(422, "empty_text", "There is nothing to say in an empty line.")
    return whole_text(text)


def whole_text(text: str) -> str:
    """Text without half characters.

    Raises:
        RefusedError: `bad_text`.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusedError(422, "bad_text", "The line holds half a character (a lone surrogate).") from None
    return text
