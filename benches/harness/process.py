"""A tool under measurement: started on its core, watched through /proc, ended with all that it started.

Nothing here knows which tool it is. Linux only.
"""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Died(Exception):
    """A tool ended, or did not do its work, before it could be measured."""


class Tool:
    """One process group, pinned to one core (or to a set of them); a context that leaves no process behind."""

    def __init__(self, argv, core, log, env=None):
        self.argv = [str(a) for a in argv]
        self.log = Path(log)
        self.cores = {core} if isinstance(core, int) else set(core)
        self.env = {**os.environ, **(env or {})}
        self.process = None
        self.started = None

    def __enter__(self):
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            os.sched_setaffinity(0, self.cores)

        with self.log.open("wb") as log:
            self.started = time.perf_counter()
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                start_new_session=True,
                preexec_fn=prepare,
            )
        return self

    def __exit__(self, *_):
        self.stop(0)

    def output(self):
        return self.log.read_text(errors="replace")

    def check(self):
        """Raises `Died` when the tool is gone."""
        code = self.process.poll()
        if code is not None:
            lines = [line for line in self.output().splitlines() if line.strip()]
            raise Died(f"ended with {code}: " + " / ".join(lines[-3:])[-300:])

    def finish(self, patience):
        """Waits until it ends by itself and gives its exit code; raises `Died` when it does not."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Died(f"did not end in {patience:g} s") from None

    def stop(self, patience=15):
        """Asks by SIGINT, as a user would, waits `patience` seconds for the report, then kills the whole group."""
        if patience and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def cpu(self):
        """User and system seconds of the whole tree, with what ended and awaited children used."""
        return cpu_seconds(self.process.pid)

    def thread_cpu(self, name):
        """Seconds that its threads of that name have run; `None` where there is none."""
        return thread_cpu(self.process.pid, name)

    def resident(self):
        """Resident bytes of the whole tree."""
        total = 0
        for pid in tree(self.process.pid):
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
            except (FileNotFoundError, ProcessLookupError):
                pass
        return total


def thread_cpu(pid, name):
    """Seconds that a process's threads of that name have run: by the scheduler's own clock, or by ticks where it does not tell.

    `None` where there is no such thread.
    """
    total = None
    for task in Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() != name:
            continue
        try:
            spent = int((task / "schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError, ValueError):
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            spent = (int(fields[11]) + int(fields[12])) / TICK
        total = (total or 0.0) + spent
    return total


def tree(root):
    """A process and its descendants, by the parent that /proc names now."""
    children = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (fields := stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def cpu_seconds(root):
    ticks = 0
    for pid in tree(root):
        if fields := stat(pid):
            ticks += sum(int(f) for f in fields[11:15])  # utime stime cutime cstime
    return ticks / TICK


def stat(pid):
    """The fields of /proc/PID/stat after the name, which may contain anything: state, ppid, ..."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def cores():
    """Per core: busy and stolen seconds since boot."""
    found = {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, *rest = line.split()
        if name.startswith("cpu") and name != "cpu":
            v = [int(x) / TICK for x in rest]
            found[int(name[3:])] = {"busy": v[0] + v[1] + v[2] + v[5] + v[6], "steal": v[7]}
    return found


def loopback_bytes():
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name.strip() == "lo":
            return int(rest.split()[0])
    return 0
