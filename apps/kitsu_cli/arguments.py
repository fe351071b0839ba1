"""The command line: one table of verbs."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from kitsu_cli.exits import MEANING

Parser = argparse.ArgumentParser
ROLES = ("viewer", "sub", "vip", "mod", "broadcaster", "operator")


@dataclass(frozen=True, slots=True)
class Verb:
    """One word of the command line. `module` is imported only when the verb is used."""

    module: str
    help: str
    add: Callable[[Parser], None]


def seconds(text: str) -> float:
    """A positive number of seconds."""
    value = float(text)
    if not 0 < value <= 600:
        raise argparse.ArgumentTypeError("wants seconds between 0 and 600")
    return value


def count(text: str) -> int:
    """A number of lines."""
    value = int(text)
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("wants a number of lines")
    return value


def _json(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, for programs")


def _services(parser: Parser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="only these (default: everything)")
    parser.add_argument("--timeout", type=seconds, default=60.0, metavar="S", help="give up after S seconds (60)")
    _json(parser)


def _start(parser: Parser) -> None:
    _services(parser)
    parser.add_argument("--foreground", action="store_true", help="stay, show the logs, stop with Ctrl-C")


def _logs(parser: Parser) -> None:
    parser.add_argument("service", nargs="?", metavar="SERVICE", help="only this one (default: all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as lines come in")
    parser.add_argument("-n", "--lines", type=count, default=50, metavar="N", help="the last N lines (50)")
    parser.add_argument("--json", action="store_true", help="the lines as they are in the files")


def _chat(parser: Parser) -> None:
    parser.add_argument("text", metavar="TEXT", help="the line, as a viewer would type it")
    parser.add_argument("--author", metavar="NAME", help="who says it")
    parser.add_argument("--role", choices=ROLES, help="what they are in the chat (viewer)")
    parser.add_argument("--conv", metavar="NAME", help="the conversation (stage: the show)")
    parser.add_argument("--wav", metavar="FILE", help="save what was played")
    _turn(parser)


def _say(parser: Parser) -> None:
    parser.add_argument("text", metavar="TEXT", help="what she shall say; it passes the gate like everything else")
    parser.add_argument("--now", action="store_true", help="cut off what she is saying")
    parser.add_argument("--conv", metavar="NAME", help="the conversation (stage: the show)")
    parser.add_argument("--wav", metavar="FILE", help="save what was played")
    _turn(parser)


def _turn(parser: Parser) -> None:
    parser.add_argument("--timeout", type=seconds, default=60.0, metavar="S", help="wait at most S seconds (60)")
    parser.add_argument("--json", action="store_true", help="the JSON object on one line")


def _skip(parser: Parser) -> None:
    parser.add_argument("--conv", metavar="NAME", help="the conversation (stage: the show)")
    _json(parser)


def _open(parser: Parser) -> None:
    parser.add_argument("--print", action="store_true", dest="only_print", help="only print the link")
    _json(parser)


def to_download(text: str) -> str:
    """What a download begins with; `coqui/NAME` says all by itself."""
    if text in ("voice", "model", "ears", "list") or text.startswith("coqui/"):
        return text
    raise argparse.ArgumentTypeError("wants voice, model, ears, list or coqui/NAME")


def _download(parser: Parser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        type=to_download,
        default="list",
        metavar="WHAT",
        help="voice, model, ears or list (default)",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="which (coqui/NAME: a voice for coqui); with list: names or languages that begin so, or coqui",
    )
    parser.add_argument("--yes", action="store_true", help="I agree with the licence: do not ask")
    _json(parser)


def _backup(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE.zip", help="the archive to write")
    parser.add_argument(
        "--with-secrets", action="store_true", help="keys and passwords too: keep that file to yourself"
    )
    _json(parser)


def _restore(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE.zip", help="an archive that `kitsu backup` wrote")
    _json(parser)


def _bundle(parser: Parser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE.zip", help="the archive to write (kitsu-support-DATE.zip)")
    _json(parser)


def percent(text: str) -> int:
    """0 to 100."""
    value = int(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("wants a number from 0 to 100")
    return value


def _devices(parser: Parser) -> None:
    parser.add_argument("--test", nargs="?", const="", metavar="NAME", help="play a tone of one second on it")
    parser.add_argument("--volume", type=percent, default=100, metavar="N", help="of the tone, 0 to 100 (100)")
    _json(parser)


def _install(parser: Parser) -> None:
    parser.add_argument("what", choices=("coqui",), metavar="WHAT", help="coqui")
    parser.add_argument(
        "--accept-cpml",
        action="store_true",
        help="what XTTS models need too; I agree that they are for non-commercial use only",
    )
    parser.add_argument("--yes", action="store_true", help="I agree with the licence: do not ask")
    _json(parser)


def _login(parser: Parser) -> None:
    parser.add_argument("where", choices=("twitch",), metavar="WHERE", help="twitch")
    _json(parser)


def _volume(parser: Parser) -> None:
    parser.add_argument("percent", type=percent, metavar="PERCENT", help="0 to 100")
    _json(parser)


def _voice(parser: Parser) -> None:
    parser.add_argument("choice", nargs="?", metavar="ENGINE[/VOICE]", help="speak with this one (default: list them)")
    _json(parser)


def _obs(parser: Parser) -> None:
    orders = ("status", "scene", "preset", "reset", "restore", "setup")
    parser.add_argument("what", nargs="?", choices=orders, default="status", metavar="WHAT", help=", ".join(orders))
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the scene or preset (default: list them)")
    parser.add_argument("--dry-run", action="store_true", help="setup: only say what would be made")
    parser.add_argument("--yes", action="store_true", help="setup: do not ask")
    _json(parser)


def _topics(parser: Parser) -> None:
    parser.add_argument("switch", choices=("on", "off"), metavar="SWITCH", help="on or off")
    _json(parser)


def _vts(parser: Parser) -> None:
    actions = ("status", "expr", "reset")
    parser.add_argument("action", choices=actions, metavar="ACTION", help="status, expr (a face or gesture) or reset")
    parser.add_argument("word", nargs="?", metavar="WORD", help="with expr: smile, wave …")
    _json(parser)


def _device(parser: Parser) -> None:
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="play there: a number, a part of a name, default, or none: overlay and pages (default: list them)",
    )
    _json(parser)


def _why(parser: Parser) -> None:
    parser.add_argument("turn", metavar="TURN", help="its id, as `kitsu chat` prints it")
    _json(parser)


def _safety(parser: Parser) -> None:
    words = parser.add_subparsers(dest="what", metavar="WHAT", required=True)

    def word(name: str, about: str) -> Parser:
        made: Parser = words.add_parser(name, help=about, description=about)
        _json(made)
        return made

    word("held", "lines that wait for your word")
    for name, about in (("allow-once", "let a held line through, this once"), ("deny", "forget a held line")):
        word(name, about).add_argument("turn", metavar="TURN", help="its id, as `held` prints it")
    block = word("block", "block a word or phrase, however it is disguised")
    block.add_argument("term", metavar="TERM")
    block.add_argument("--category", default="blocked", metavar="C", help="treat it as one of configs/safety (blocked)")
    block.add_argument("--now-only", action="store_true", help="until the show is restarted")
    word("unblock", "take a word of yours off again").add_argument("term", metavar="TERM")
    allow = word("allow", "a false alarm: hold nothing against this phrase any more")
    allow.add_argument("phrase", metavar="PHRASE")
    allow.add_argument("--remove", action="store_true", help="take it back")
    word("list", "your own words")
    test = word("test", "score the gate on rows with a known right answer")
    test.add_argument("file", metavar="FILE", help="JSONL: id, stage, text, expect, category, technique")


def _ears(parser: Parser) -> None:
    words = ("status", "mute", "unmute", "mode", "use")
    parser.add_argument("what", nargs="?", choices=words, default="status", metavar="WHAT", help=", ".join(words))
    parser.add_argument("value", nargs="?", default="", metavar="VALUE", help="of mode and use: a mode, a microphone")
    _json(parser)


def _transcribe(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", help="WAV, FLAC, Ogg or MP3, at most 64 MiB")
    parser.add_argument("--language", default="", metavar="XX", help="two letters (default: as set, or found out)")
    _json(parser)


def _none(parser: Parser) -> None:
    """No options."""


VERBS: dict[str, Verb] = {
    "start": Verb("start", "start everything that is not running, and wait until it is healthy", _start),
    "stop": Verb("stop", "stop everything, or the services named", _services),
    "restart": Verb("restart", "stop, then start", _services),
    "status": Verb("status", "what runs, how it is, who listens", _json),
    "logs": Verb("logs", "what the services wrote", _logs),
    "chat": Verb("chat", "a chat line in, the spoken answer out (waits; prints one JSON object)", _chat),
    "say": Verb("say", "your own words, in her voice (waits; prints one JSON object)", _say),
    "panic": Verb("panic", "silence on every exit, now, until `resume`", _json),
    "resume": Verb("control", "end the panic", _json),
    "mute": Verb("control", "turns go on, nobody hears them", _json),
    "unmute": Verb("control", "be heard again", _json),
    "skip": Verb("control", "end what she is saying", _skip),
    "volume": Verb("control", "how loud she is, on all sinks", _volume),
    "device": Verb("device", "which sound device she is heard on, and another one at once", _device),
    "ears": Verb("ears", "what listens, and how: mute, mode, another microphone", _ears),
    "transcribe": Verb("transcribe", "what is said in a sound file", _transcribe),
    "live": Verb("control", "on air: answer the platforms' chat", _json),
    "standby": Verb("control", "off air: answer only lines typed here or on the page", _json),
    "topics": Verb("control", "whether she begins to talk by herself when chat is quiet", _topics),
    "open": Verb("open", "a fresh sign-in link for the control page", _open),
    "doctor": Verb("doctor", "look for what is wrong with this installation", _json),
    "voice": Verb("voice", "which voices there are, and another one at once", _voice),
    "obs": Verb("obs", "OBS Studio: how it is, scenes, presets, and setting it up", _obs),
    "vts": Verb("vts", "the link to VTube Studio: how it is, a face or gesture, begin anew", _vts),
    "why": Verb("why", "why something was said, changed, held or dropped", _why),
    "safety": Verb("safety", "what the gate holds for you, and words of your own", _safety),
    "quickstart": Verb("quickstart", "five questions, then every part is tried aloud", _none),
    "login": Verb("login", "let Kitsu read and write a channel's chat", _login),
    "download": Verb("download", "natural voices and language models, each by name", _download),
    "install": Verb("install", "a voice that needs a Python of its own", _install),
    "devices": Verb("devices", "sound devices, and a test tone", _devices),
    "backup": Verb("backup", "settings, characters and the database, as one file", _backup),
    "restore": Verb("restore", "put a backup back; what it replaces is kept", _restore),
    "support-bundle": Verb("bundle", "what helps others to help you, without secrets; nothing is sent", _bundle),
}


def parser() -> Parser:
    """The whole command line."""
    codes = "\n".join(f"  {int(code):>3}  {meaning}" for code, meaning in MEANING.items())
    top = Parser(
        prog="kitsu",
        description="Kitsu: an AI VTuber's live show on your own machine.",
        epilog=f"exit codes:\n{codes}\n\n`kitsu VERB --help` tells more; docs/cli.md has examples.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, verb in VERBS.items():
        verb.add(verbs.add_parser(name, help=verb.help, description=verb.help))
    return top


class _Version(argparse.Action):
    """Looks the version up only when asked."""

    def __call__(self, parser: Parser, *_: object) -> None:
        from importlib.metadata import version

        print(f"kitsu {version('kitsu')}")
        parser.exit(0)
