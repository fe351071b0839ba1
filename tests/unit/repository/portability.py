"""Finds calls that exist on one system only and stand outside a branch on `sys.platform`."""

import ast
from collections.abc import Iterator, Sequence

POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "uvloop"}
WINDOWS_MODULES = {"_winapi", "msvcrt", "win32api", "win32job", "winreg"}

POSIX_NAMES = {
    *(
        f"os.{name}"
        for name in ("fork", "forkpty", "setsid", "getsid", "setpgid", "getpgid", "getpgrp", "kill", "killpg")
    ),
    *(f"os.{name}" for name in ("getuid", "geteuid", "getgid", "getegid", "chown", "mkfifo", "nice", "uname", "wait")),
    *(f"signal.SIG{name}" for name in ("KILL", "STOP", "CONT", "HUP", "USR1", "USR2", "CHLD", "ALRM", "PIPE", "QUIT")),
    *(f"signal.{name}" for name in ("alarm", "setitimer", "pause", "pthread_kill", "pthread_sigmask")),
    "asyncio.open_unix_connection",
    "asyncio.start_unix_server",
    "socket.AF_UNIX",
}
WINDOWS_NAMES = {
    "ctypes.WinDLL",
    "ctypes.windll",
    "os.startfile",
    "signal.CTRL_BREAK_EVENT",
    "signal.CTRL_C_EVENT",
    *(
        f"subprocess.{name}"
        for name in ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW", "DETACHED_PROCESS", "STARTUPINFO")
    ),
}
POSIX_METHODS = {"add_signal_handler", "remove_signal_handler"}
POSIX_WORDS = {"preexec_fn", "process_group", "start_new_session"}
WINDOWS_WORDS = {"creationflags", "startupinfo"}
POSIX_FOLDERS = ("/dev/", "/etc/", "/proc/", "/tmp/", "/usr/", "/var/")

Found = tuple[int, str]  # line, what


def unguarded(source: str) -> list[Found]:
    """Line and name of everything that only one kind of system has, outside a branch for it."""
    return sorted(_block(ast.parse(source).body, "any"))


def _block(statements: Sequence[ast.stmt], system: str) -> Iterator[Found]:
    """`system`: any, posix or windows: where these statements run."""
    for statement in statements:
        side = _side(statement.test) if isinstance(statement, ast.If) else ""
        if isinstance(statement, ast.If) and side:
            yield from _block(statement.body, side)
            yield from _block(statement.orelse, _other(side))
            if statement.body and isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue):
                system = _other(side)  # whatever follows runs on the other side only
        else:
            yield from _node(statement, system)


def _node(node: ast.AST, system: str) -> Iterator[Found]:
    yield from _complaints(node, system)
    if isinstance(node, ast.IfExp) and (side := _side(node.test)):
        yield from _node(node.body, side)
        yield from _node(node.orelse, _other(side))
        return
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And) and (side := _side(node.values[0])):
        for value in node.values[1:]:
            yield from _node(value, side)
        return
    for _, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield from _block(value, system)
        elif isinstance(value, ast.AST):
            yield from _node(value, system)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, ast.AST):
                    yield from _node(item, system)


def _complaints(node: ast.AST, system: str) -> Iterator[Found]:
    posix, windows = [], []
    for name in _names(node):
        top = name.partition(".")[0]
        method = name.rpartition(".")[2]
        if name in POSIX_NAMES or top in POSIX_MODULES or method in POSIX_METHODS or name in POSIX_WORDS:
            posix.append(name)
        if name in WINDOWS_NAMES or top in WINDOWS_MODULES or (isinstance(node, ast.keyword) and name in WINDOWS_WORDS):
            windows.append(name)
        if name.startswith(POSIX_FOLDERS):
            posix.append(name)
    wrong = [*(posix if system != "posix" else ()), *(windows if system != "windows" else ())]
    line = getattr(node, "lineno", 0)
    yield from ((line, name) for name in wrong)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom(module=str(module)):
            yield from (f"{module}.{alias.name}" for alias in node.names)
        case ast.Attribute(attr=attr):
            owner = node.value.id if isinstance(node.value, ast.Name) else "?"
            yield f"{owner}.{attr}"
        case ast.keyword(arg=str(arg)):
            yield arg
        case ast.Constant(value=str(text)):
            yield text


def _side(test: ast.expr) -> str:
    """posix or windows when the test asks for the platform, else nothing."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return next(filter(None, map(_side, test.values)), "")
    text = ast.unparse(test)
    if text in ("sys.platform == 'win32'", "os.name == 'nt'"):
        return "windows"
    if text in ("sys.platform != 'win32'", "os.name == 'posix'", "sys.platform == 'linux'"):
        return "posix"
    return ""


def _other(side: str) -> str:
    return "posix" if side == "windows" else "windows"
