"""`kitsu devices`: what sound can be played on and heard with, and a tone to tell which is which."""

from argparse import Namespace
from dataclasses import asdict

from kitsu.soundcard import Device, TroubleError, ask_devices, play_tone
from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError


def run(arguments: Namespace) -> int:
    """List them, or play the tone."""
    try:
        return _run(arguments)
    except TroubleError as trouble:
        message = f"{trouble.found[:1].upper()}{trouble.found[1:]}. What helps: {trouble.do}."
        raise VerbError(Exit.NO, trouble.code, screen.plain(message)) from None


def _run(arguments: Namespace) -> int:
    if arguments.test is not None:
        played = play_tone(arguments.test, arguments.volume)
        if arguments.json:
            screen.write_json({"played": asdict(played), "volume": arguments.volume})
        else:
            print(
                screen.plain(f"Played one second of a tone on {played.name} ({played.host}) at {arguments.volume} %.")
            )
        return Exit.OK
    devices, microphones = ask_devices(), ask_devices("in")
    if arguments.json:
        screen.write_json(
            {"devices": [asdict(device) for device in devices], "microphones": [asdict(one) for one in microphones]}
        )
        return Exit.OK
    screen.write([[(f"{'number':<8}{'device':<52}{'through':<26}{'channels':<10}", "bright_black")]])
    screen.write(_line(device) for device in devices)
    print("\n* the system's default. A tone: kitsu devices --test NUMBER. To play there now: kitsu device NUMBER")
    print("To play there always, put into .env: KITSU__PLAYOUT__DEVICE=NAME")
    if microphones:
        screen.write([[(f"\n{'number':<8}{'microphone':<52}{'through':<26}{'channels':<10}", "bright_black")]])
        screen.write(_line(device) for device in microphones)
        print("\nTo be heard there, put into .env: KITSU__ASR__ENABLED=true and KITSU__ASR__DEVICE=NAME")
    return Exit.OK


def _line(device: Device) -> screen.Line:
    number = f"{device.number}{' *' if device.default else ''}"
    text = screen.fit(number, 8) + screen.fit(device.name, 51) + " " + screen.fit(device.host, 25) + " "
    return [(f"{text}{device.channels}", "bold" if device.default else "")]
