"""A turn from the command line: send, wait, print, save the sound."""

import os
import secrets
from argparse import Namespace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.running import doors

FIELDS = ("turn_id", "outcome", "reason", "segments", "heard", "first_audio_ms", "audio_ms", "engine")
SPOKEN = ("spoken", "fallback")
ANSWER_GRACE_S = 2.0  # the door gives up first, with the turn's id


def take_turn(path: str, body: dict[str, Any], arguments: Namespace) -> int:
    """Post `body`, wait for the turn's end, print it, save `--wav`; 0 when something was spoken."""
    body = body | {"text": _clean(body["text"]), "wait": True, "timeout_s": arguments.timeout}
    if arguments.wav:
        _check_writable(Path(arguments.wav))
    door = doors().orchestrator
    answer = door.post(path, body, timeout_s=arguments.timeout + ANSWER_GRACE_S)
    turn = contract(answer, door)
    screen.write_json(turn, indent=None if arguments.json else 2)
    if turn["outcome"] not in SPOKEN:
        return Exit.NO
    if arguments.wav:
        save_wav(door, turn["turn_id"], Path(arguments.wav))
    return Exit.OK


def contract(answer: Any, door: Door) -> dict[str, Any]:
    """The promised fields of a turn, and no others.

    Raises:
        VerbError: REFUSED when the answer is no finished turn.
    """
    if not isinstance(answer, dict) or any(field not in answer for field in FIELDS):
        raise VerbError(Exit.REFUSED, "bad_answer", f"What answers at {door.url} does not speak like Kitsu.")
    return {field: answer[field] for field in FIELDS}


def save_wav(door: Door, turn_id: str, path: Path) -> None:
    """Fetch what was played; the file appears when it is complete.

    Raises:
        VerbError: FILE when it cannot be written; whatever the door answers.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.writelines(door.chunks(f"/turns/{quote(turn_id, safe='')}/audio.wav"))
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error.strerror) from None
    finally:
        temporary.unlink(missing_ok=True)


def _check_writable(path: Path) -> None:
    """Say so before she speaks, not after."""
    if path.is_dir():
        raise _unwritable(path, "it is a folder")
    if not path.absolute().parent.is_dir():
        raise _unwritable(path, "its folder does not exist")
    if not os.access(path.absolute().parent, os.W_OK):
        raise _unwritable(path, "no right to write there")


def _unwritable(path: Path, why: str | None) -> VerbError:
    return VerbError(Exit.FILE, "file_not_written", f"{path} cannot be written: {why}.")


def _clean(text: str) -> str:
    """Bytes of the command line that were not UTF-8 become question marks."""
    return text.encode("utf-8", "replace").decode()
