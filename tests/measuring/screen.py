"""A program in a terminal, driven and watched from outside."""
import contextlib
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import termios
import time

SIZE = (120, 40)
SEQUENCE = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;?<>=:]*[ -/]*[@-~]|\x1b[()].|\x1b.")
MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
# Programs ask their terminal who it is and where the cursor stands, and some wait for the answer.
QUESTIONS = [(b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[0c", b"\x1b[?62;22c")]


class Screen:
    """A program in a terminal, started by something that plays the shell, with everything that it has sent."""

    def __init__(self, command, env, size=SIZE):
        self.sent, self.status = bytearray(), None
        report, told = os.pipe()
        self.shell, self.fd = pty.fork()
        if self.shell == 0:
            play_shell(command, env, size, told)
        os.close(told)
        with open(report, encoding="ascii") as said:
            pid, started = said.read().split()
        self.pid, self.started = int(pid), float(started)

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds, until=None):
        """Reads for so long, or until the text is there. Says when that was, or none."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                continue
            data = self.take()
            now = time.perf_counter()
            if data is None:
                return None
            if until and until in SEQUENCE.sub(b" ", bytes(self.sent)):
                return now
        return None

    def take(self):
        """What is there to read; none at the end."""
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return None
        self.sent += data
        for question, answer in QUESTIONS:
            if question in data:
                self.type(answer)
        return data

    def type(self, keys):
        with contextlib.suppress(OSError):
            os.write(self.fd, keys)

    def state(self):
        """The letter of the program's state; none if it is gone."""
        with contextlib.suppress(OSError):
            letter = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            return None if letter in "ZX" else letter
        return None

    def left_on(self):
        """Modes that are not as in a fresh terminal."""
        last = {mode: on for modes, on in MODE.findall(bytes(self.sent)) for mode in modes.split(b";")}
        usual = {b"25": b"h", b"7": b"h"}
        # 12 (a blinking cursor), 1034 (the meta key) and 2026 (a frame's brackets) harm nobody.
        harmless = {b"12", b"1034", b"2026"}
        odd = {mode.decode() for mode, on in last.items() if on != usual.get(mode, b"l") and mode not in harmless}
        with contextlib.suppress(termios.error):
            if not termios.tcgetattr(self.fd)[3] & termios.ICANON:
                odd.add("raw")
        return sorted(odd)

    def end(self, seconds=3):
        """Waits for the end; the exit status as a shell shows it, or none if it had to be killed."""
        deadline = time.perf_counter() + seconds
        while self.state() is not None and time.perf_counter() < deadline:
            self.read(0.02)
        alive = self.state() is not None
        self.read(0.1)
        left = self.left_on()
        self.kill()
        return (None if alive else self.status), left

    def kill(self):
        """Ends what is still there."""
        if self.state() is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        deadline = time.perf_counter() + 5
        done = 0
        while not done and time.perf_counter() < deadline:
            # The shell's end of the terminal must not block it.
            if select.select([self.fd], [], [], 0.01)[0]:
                self.take()
            done, raw = os.waitpid(self.shell, os.WNOHANG)
        self.status = os.waitstatus_to_exitcode(raw) if done else None
        with contextlib.suppress(OSError):
            os.close(self.fd)


def play_shell(command, env, size, told):
    """Leads the session: starts the program in the foreground, waits while it is stopped, and continues it when told
    to by SIGUSR1. Never returns."""
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    for number in (signal.SIGTTOU, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        for number in (signal.SIGTTOU, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        os.write(told, f"{os.getpid()} {time.perf_counter()}".encode())
        os.close(told)
        with contextlib.suppress(OSError):
            os.execvpe(command[0], command, env)
        os._exit(127)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    os.close(told)
    while True:
        _, raw = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(raw):
            code = os.waitstatus_to_exitcode(raw)
            os._exit(code if code >= 0 else 128 - code)
        os.tcsetpgrp(0, os.getpgrp())
        signal.sigwait([signal.SIGUSR1])
        os.tcsetpgrp(0, child)
        os.killpg(child, signal.SIGCONT)


def usage(pid):
    """CPU seconds, voluntary context switches and resident MiB of a process."""
    cpu = switches = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        cpu += int((thread / "schedstat").read_text().split()[0]) / 1e9
        switches += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (thread / "status").read_text(), re.M)[1])
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return cpu, switches, int(re.search(r"^Rss:\s+(\d+)", rollup, re.M)[1]) / 1024
