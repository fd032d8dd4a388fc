"""How a program treats its terminal, each manner in a word or two; `ok` is perfect."""
import os
import re
import signal
import subprocess

from measuring.screen import SEQUENCE, SIZE, Screen

SGR = re.compile(rb"\x1b\[([0-9;:]*)m")
RICH = re.compile(rb"[34]8[;:][25][;:]")
# What the fonts of a Debian console have beyond Latin-1 (console-setup 1.221).
CONSOLE = set("─│┌┐└┘├┤┬┴┼━┃┏┓┗┛═║╔╗╚╝█░▒←↑→↓▲▼•■×…")


def manners(command, env, marker, number):
    """How it treats the terminal, each in a word or two; `ok` is perfect."""
    verdict = {}
    for name in ("SIGTERM", "SIGHUP"):
        screen = Screen(command, env)
        screen.read(3, marker)
        os.kill(screen.pid, getattr(signal, name))
        status, left = screen.end()
        gone = "ignored" if status is None else f"left on: {' '.join(left)}" if left else "ok"
        verdict[name] = gone
    verdict["Ctrl-Z, fg"] = job_control(command, env, marker)
    screen = Screen(command, env)
    screen.read(2, marker)
    for size in ((20, 5), (1, 1), SIZE):
        screen.resize(*size)
        screen.read(0.5)
    verdict["1x1"] = "ok" if screen.state() else "ends"
    screen.kill()
    screen = Screen(command, env | {"NO_COLOR": "1"})
    screen.read(2)
    verdict["NO_COLOR"] = counted(sum(is_color(code) for code in codes(screen.sent)), "colour code")
    screen.kill()
    verdict["TERM=linux"] = console(command, {name: env[name] for name in env if name != "COLORTERM"})
    screen = Screen(command, env | {"TERM": "xterm-nosuch"})
    screen.read(1.5)
    verdict["unknown TERM"] = "ok" if screen.state() else "ends"
    screen.kill()
    verdict["pipe"] = pipe(command, env, number)
    return verdict


def codes(sent):
    return [int(code) for sgr in SGR.findall(bytes(sent)) for code in re.split(rb"[;:]", sgr) if code]


def is_color(code):
    return 30 <= code <= 38 or 40 <= code <= 48 or 90 <= code <= 107


def counted(number, thing):
    return "ok" if number == 0 else f"{number} {thing}{'' if number == 1 else 's'}"


def job_control(command, env, marker):
    screen = Screen(command, env)
    screen.read(3, marker)
    screen.read(0.3)
    screen.type(b"\x1a")
    screen.read(1)
    if screen.state() != "T":
        verdict = "not stopped" if screen.state() else "ends"
        screen.kill()
        return verdict
    left, sent = screen.left_on(), len(screen.sent)
    os.kill(screen.shell, signal.SIGUSR1)
    screen.read(1.5)
    back = screen.state() is not None and marker in SEQUENCE.sub(b" ", bytes(screen.sent[sent:]))
    screen.kill()
    return f"left on: {' '.join(left)}" if left else "ok" if back else "not drawn again"


def console(command, env):
    """On a virtual console: neither colours beyond its 16 nor glyphs that its fonts lack."""
    screen = Screen(command, env | {"TERM": "linux"})
    screen.read(2)
    text = SEQUENCE.sub(b"", bytes(screen.sent)).decode(errors="ignore")
    rich = len(RICH.findall(bytes(screen.sent)))
    missing = {glyph for glyph in text if ord(glyph) > 0xFF} - CONSOLE
    alive = screen.state()
    screen.kill()
    faults = [counted(rich, "rich colour")] if rich else []
    faults += [f"lacks {''.join(sorted(missing))}"] if missing else []
    faults += [] if alive else ["ends"]
    return ", ".join(faults) or "ok"


def pipe(command, env, wanted):
    """Without a terminal: a line or two that say so, and a status of wrong usage."""
    with subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            out, err = program.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            program.kill()
            program.communicate()
            return "runs on"
    tidy = not out and 0 < len(err.strip().splitlines()) <= 4
    return "ok" if program.returncode == wanted and tidy else f"exit {program.returncode}"
