"""A VTube Studio to try things with: `python -m tests.fakes.vtube_studio`.

Shows mouth and expressions as a meter. Keys, each with Enter: `a` allow, `d` deny (the pop-up), `m` another model,
`u` unload it, `r` revoke all tokens, `x` switch plugin access off or on, `q` quit.
"""

import argparse
import asyncio
import contextlib
import sys
import threading

from tests.fakes.vtube_studio import FakeVTubeStudio, fox, owl

BAR = 24
ROWS = ("MouthOpen", "MouthSmile", "FaceAngleX", "FaceAngleZ", "EyeOpenLeft")


def bar(studio: FakeVTubeStudio, name: str) -> str:
    """One parameter as a bar, `*` while a plugin holds it."""
    row = studio.parameters.all[name]
    share = (studio.value(name) - row.low) / (row.high - row.low)
    filled = round(min(1.0, max(0.0, share)) * BAR)
    held = "*" if studio.parameters.held(name) else " "
    return f"{name:<12}{'█' * filled}{'·' * (BAR - filled)} {studio.value(name):6.2f}{held}"


def picture(studio: FakeVTubeStudio) -> list[str]:
    """Everything, as lines."""
    model = studio.model.name if studio.model else "none"
    plugins = ", ".join(sorted({s.plugin for s in studio.sessions if s.authenticated and not s.revoked})) or "none"
    question = f"  ALLOW {studio.asked[-1]}? (a/d)" if studio.asking else ""
    return [
        f"model {model}   plugins {plugins}   access {'on' if studio.allowed else 'OFF'}{question}",
        *(bar(studio, name) for name in ROWS),
        f"expressions {', '.join(sorted(studio.active())) or 'none'}",
        f"hotkeys     {', '.join(studio.triggered[-5:]) or 'none'}",
    ]


async def obey(studio: FakeVTubeStudio, key: str) -> bool:
    """What the user does. False: quit."""
    match key.strip().lower():
        case "a" | "d" if studio.asking:
            await studio.click(allow=key.strip().lower() == "a")
        case "m":
            await studio.load(owl() if studio.model and studio.model.name == "Fox" else fox())
        case "u":
            await studio.load(None)
        case "r":
            studio.revoke()
        case "x":
            studio.allowed = not studio.allowed
        case "q":
            return False
    return True


async def show(port: int, popup: str) -> None:
    """Draw until quit."""
    keys: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(keys.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    studio = FakeVTubeStudio(port)
    studio.popup = popup  # type: ignore[assignment]  # argparse checked it
    async with studio:
        sys.stdout.write(f"A fake VTube Studio listens on ws://127.0.0.1:{studio.port}. Keys: a d m u r x q, Enter.\n")
        sys.stdout.flush()
        height = 0
        while keys.empty() or await obey(studio, keys.get_nowait()):
            lines = picture(studio)
            if sys.stdout.isatty():
                up = f"\x1b[{height}A" if height else ""
                sys.stdout.write(up + "".join(f"\x1b[2K{line}\n" for line in lines))
                sys.stdout.flush()
                height = len(lines)
            await asyncio.sleep(0.05)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.vtube_studio", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--popup", choices=("hold", "allow", "deny"), default="hold", help="hold: you answer it here")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(show(arguments.port, arguments.popup))


if __name__ == "__main__":
    main()
