"""Tables of services and of the show."""

from typing import Any

from kitsu_cli.screen import WIDTH, Line, duration, fit, plain, state_piece

_NAME, _STATE, _PID, _UP, _RESTARTS = 14, 12, 9, 12, 10


def service_table(services: list[dict[str, Any]]) -> list[Line]:
    """One row a process."""
    head = "service".ljust(_NAME) + "state".ljust(_STATE) + "pid".ljust(_PID) + "up".ljust(_UP)
    lines: list[Line] = [[(head + "restarts".ljust(_RESTARTS) + "note", "bright_black")]]
    note = WIDTH - _NAME - _STATE - _PID - _UP - _RESTARTS
    for service in services:
        alive = service.get("pid") is not None
        rest = fit(str(service.get("pid") or ""), _PID) + fit(duration(service["uptime_s"]) if alive else "", _UP)
        text = service.get("reason") or service.get("does", "")
        row: Line = [
            (fit(service["name"], _NAME), ""),
            state_piece(service["state"]),
            (rest + fit(str(service["restarts"] or ""), _RESTARTS) + fit(text, note).rstrip(), ""),
        ]
        lines.append(row)
    return lines


def show_lines(show: dict[str, Any]) -> list[Line]:
    """On air or not, muted, panicked, who listens, what waits."""
    levels = show.get("levels", {})
    panic = levels.get("panic")
    air = "live" if levels.get("mode") == "live" else "standby (off air)"
    lines: list[Line] = [[("show     ", "bright_black"), (air, "bold"), (", muted" if levels.get("muted") else "", "")]]
    if panic:
        by = panic.get("by", "?")
        lines.append(
            [("panic    ", "bright_black"), (f"✗ silent since the panic by {by}. End it: kitsu resume", "bold red")]
        )
    lines += [_exit(row) for row in show.get("confirmed", []) if panic]
    lines.append([("listens  ", "bright_black"), (_listeners(show), "")])
    lines += _obs(show.get("obs") or {})
    if times := ears_times((show.get("ears") or {}).get("latency_ms") or {}):
        lines.append([("ears     ", "bright_black"), (times, "")])
    lines += _gate(show.get("safety") or {})
    dropped = sum(show.get("dropped", {}).values())
    lines.append([("waiting  ", "bright_black"), (f"{show.get('waiting', 0)} lines, {dropped} dropped so far", "")])
    return [_fitted(line) for line in lines]


def ears_times(latency: dict[str, float]) -> str:
    """How long the last spoken lines took; empty before the first."""
    names = {"endpoint": "end of speech to words", "final_to_audio": "words to sound", "speech_to_audio": "both"}
    return "; ".join(
        f"{text} {latency[f'{name}_p50']:.0f} ms (p95 {latency[f'{name}_p95']:.0f})"
        for name, text in names.items()
        if f"{name}_p50" in latency
    )


def _gate(safety: dict[str, Any]) -> list[Line]:
    """Only what needs somebody: rules that are not those of the files, a guard that is away, lines that wait."""
    said = [str(safety["reason"])] if safety.get("reason") else []
    guard = safety.get("guard") or {}
    if guard.get("trouble"):
        said.append(f"the guard model {guard.get('model')} gives no opinion ({guard['trouble']})")
    if (vote := safety.get("vote") or {}).get("trouble") in ("missing", "broken"):
        said.append(f"the vote takes no part ({vote['trouble']}): kitsu doctor")
    if waiting := (safety.get("held") or {}).get("waiting"):
        said.append(f"{waiting} held for your word: kitsu safety held")
    return [[("gate     ", "bright_black"), (f"! {text}", "yellow")] for text in said]


def _exit(row: dict[str, Any]) -> Line:
    sure = row.get("state") == "confirmed"
    sign = "✓" if sure else "✗"
    text = f"{sign} {row.get('exit')} {row.get('detail', '') if sure else 'no confirmation'}"
    return [("         ", ""), (text, "" if sure else "bold red")]


def _obs(state: dict[str, Any]) -> list[Line]:
    """What is on air in OBS, and what could be; nothing while it is not connected (its service says why)."""
    if not state.get("connected"):
        return []
    others = [plain(one) for one in state.get("scenes", []) if one != state.get("scene")]
    text = (
        f"{plain(state.get('scene', ''))}{', held' if state.get('held') else ''}; others: {', '.join(others) or 'none'}"
    )
    return [[("obs      ", "bright_black"), (text, "")]]


def _listeners(show: dict[str, Any]) -> str:
    sinks = [
        f"{sink.get('kind', '?')} {sink.get('sink', '')} {sink.get('state', '')}" for sink in show.get("sinks", [])
    ]
    if not show.get("listening"):
        return "nobody listens. Open the overlay page" + (f" ({', '.join(sinks)})" if sinks else "")
    return ", ".join(sinks)


def _fitted(line: Line) -> Line:
    left = WIDTH
    pieces = []
    for text, style in line:
        pieces.append((fit(text, left) if len(text) > left else text, style))
        left = max(left - len(text), 1)
    return pieces
