"""Tools that are asked for a rate: how each is called for it, and which figures it prints. benches/stall.py holds them against the truth.

A peer gives a command for a `Pace` and reads `Figures` from what the tool has written. It does not know what the server does meanwhile.
"""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import HERE, Locust, Oha, Punk, Wrk, first_version

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "secs": 1.0}


@dataclass
class Pace:
    """`rate` requests per second for `seconds`, over at most `connections`, to `url` (no slash at its end)."""

    url: str
    rate: float
    seconds: float
    connections: int
    folder: Path


@dataclass
class Figures:
    """What a tool says, in seconds; what it does not print is None. `not_sent` is its own count of what it was to send and did not."""

    name: str
    count: int | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    not_sent: int | None = None
    remarks: list = field(default_factory=list)


class PacedOha:
    name = "oha"

    def __init__(self, corrected):
        self.corrected = corrected
        self.name = "oha --latency-correction" if corrected else "oha"

    def find(self):
        return Oha().find()

    def version(self):
        return Oha().version()

    def command(self, pace):
        correction = ["--latency-correction"] if self.corrected else []
        return [
            *[self.find(), "--no-tui", "--no-color", "--output-format", "json", "-c", pace.connections],
            *["-q", f"{pace.rate:g}", "-z", f"{pace.seconds:g}s", *correction, pace.url + "/"],
        ], {}

    def read(self, output, _pace):
        found = json.loads(output[output.index("{") :])
        at = found["latencyPercentiles"]
        answered = sum(found["statusCodeDistribution"].values())
        errors = [f"{n} {what}" for what, n in found["errorDistribution"].items()]
        slowest = found["summary"]["slowest"]
        return [Figures(self.name, answered, at["p50"], at["p95"], at["p99"], slowest, remarks=errors)]


class Hey:
    name = "hey"

    def find(self):
        return shutil.which("hey")

    def version(self):
        return "0.1.4" if self.find() else None  # it cannot tell; this is Debian 12's

    def command(self, pace):
        per_worker = pace.rate / pace.connections
        return [
            *[self.find(), "-c", pace.connections, "-q", f"{per_worker:g}", "-z", f"{pace.seconds:g}s"],
            pace.url + "/",
        ], {}

    def read(self, output, _pace):
        def at(percent):
            return seconds(rf"^\s*{percent}%+ in ([\d.]+) (secs)", output)

        count = sum(int(n) for n in re.findall(r"^\s*\[\d+\]\s+(\d+) responses", output, re.M))
        errors = re.findall(r"^\s*\[(\d+)\]\s+(\S*Get.*|.*error.*)$", output, re.M)
        slowest = seconds(r"Slowest:\s+([\d.]+) (secs)", output)
        return [Figures(self.name, count, at(50), at(95), at(99), slowest, remarks=[" ".join(e) for e in errors])]


class PacedWrk:
    """wrk knows no rate: it is here because it is what many reach for."""

    name = "wrk (no rate)"

    def find(self):
        return Wrk().find()

    def version(self):
        return Wrk().version()

    def command(self, pace):
        return [
            *[self.find(), "-t1", f"-c{pace.connections}", f"-d{pace.seconds:g}s", "--latency"],
            pace.url + "/",
        ], {}

    def read(self, output, _pace):
        def at(percent):
            return seconds(rf"^\s*{percent}(?:\.0+)?%\s+([\d.]+)(\w+)", output)

        count = re.search(r"(\d+) requests in", output)
        slowest = seconds(r"Latency +\S+ +\S+ +([\d.]+)(\w+)", output)
        lost = re.findall(r"Socket errors: (.*)", output)
        return [Figures(self.name, int(count[1]) if count else None, at(50), at(95), at(99), slowest, remarks=lost)]


class Wrk2(PacedWrk):
    """Not in package registries; build it and put it on the path as `wrk2`."""

    name = "wrk2"

    def find(self):
        return shutil.which("wrk2")

    def version(self):
        return first_version([self.find(), "-v"])

    def command(self, pace):
        argv, env = super().command(pace)
        return [*argv[:-1], f"-R{pace.rate:g}", argv[-1]], env


class PacedLocust:
    name = "locust"

    def find(self):
        return Locust().find()

    def version(self):
        return Locust().version()

    def command(self, pace):
        return [
            *[self.find(), "-f", HERE / "locust_paced.py", "--headless", "--only-summary", "--loglevel", "ERROR"],
            *["-u", pace.connections, "-r", pace.connections, "-t", f"{pace.seconds:g}s", "-H", pace.url],
        ], {"PER_USER": str(pace.rate / pace.connections)}

    def read(self, output, _pace):
        # Two tables with such a line: counts with average and extremes, then percentiles (50 66 75 80 90 95 98 99 …).
        rows = [re.findall(r"[\d.]+(?:\(\S+\))?", line) for line in output.splitlines() if "Aggregated" in line]
        counts, percentiles = rows[0], [float(n) / 1e3 for n in rows[1]]
        slowest = float(counts[4]) / 1e3
        return [Figures(self.name, int(counts[0]), percentiles[0], percentiles[5], percentiles[7], slowest)]


class PacedPunk:
    """Both figures of one run: from the slot, and from the sending."""

    def __init__(self, users):
        self.users = users
        self.name = f"punk, {users} users"

    def find(self):
        return Punk().find()

    def version(self):
        return Punk().version()

    def command(self, pace):
        return [
            *[self.find(), HERE.parent.parent / "scripts/stall.rhai", "--quiet"],
            *["--summary", self.summary(pace), "--on-invalid", "warn"],
        ], {
            "BASE_URL": pace.url,
            "RATE": f"{pace.rate:g}",
            "DURATION": f"{pace.seconds:g}s",
            "MAX_USERS": str(self.users or pace.connections),
        }

    def summary(self, pace):
        return pace.folder / f"punk-{self.users}.json"

    def read(self, _output, pace):
        found = json.loads(self.summary(pace).read_text())
        metrics = found["metrics"]

        def of(metric, name, **more):
            v = metrics[metric]["values"]
            times = [v[key] / 1e3 for key in ("med", "p(95)", "p(99)", "max")]
            return Figures(name, int(metrics["http_reqs"]["values"]["count"]), *times, **more)

        dropped = int(metrics.get("dropped_iterations", {}).get("values", {}).get("count", 0))
        lateness = metrics["iteration_lateness"]["values"]
        remarks = [f"lateness p99 {lateness['p(99)']:.3g} ms, max {lateness['max']:.3g} ms"]
        return [
            of("http_req_scheduled_duration", f"{self.name}: scheduled", not_sent=dropped, remarks=remarks),
            of("http_req_duration", f"{self.name}: plain", not_sent=dropped),
        ]


PACED = [
    PacedPunk(50),
    PacedPunk(1),
    PacedPunk(5000),
    PacedOha(corrected=True),
    PacedOha(corrected=False),
    Hey(),
    PacedLocust(),
    PacedWrk(),
    Wrk2(),
]


def seconds(pattern, text):
    """The last match of a number and its unit, in seconds."""
    found = re.findall(pattern, text, re.M)
    return float(found[-1][0]) * UNITS[found[-1][1]] if found else None


def self_test():
    wrk = """  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.61ms    9.41ms 143.39ms   97.56%
    Req/Sec    24.10k     5.01k   33.02k    68.69%
  Latency Distribution
     50%  823.00us
     75%    1.42ms
     90%    2.10ms
     99%   35.33ms
  476127 requests in 20.10s, 61.03MB read
  Socket errors: connect 0, read 0, write 0, timeout 50
"""
    [figures] = PacedWrk().read(wrk, None)
    assert (figures.count, figures.p95, figures.p99, figures.max) == (476127, None, 0.03533, 0.14339), figures
    assert figures.remarks == ["connect 0, read 0, write 0, timeout 50"]
    [figures] = Wrk2().read(wrk.replace("99%   35.33ms", "99.000%    1.75s "), None)
    assert figures.p99 == 1.75, figures
    hey = """
Summary:
  Total:	20.0021 secs
  Slowest:	1.7604 secs
Latency distribution:
  50%% in 0.0004 secs
  95%% in 0.0110 secs
  99%% in 1.7598 secs
Status code distribution:
  [200]	3700 responses
"""
    [figures] = Hey().read(hey, None)
    assert (figures.count, figures.p50, figures.p99, figures.max) == (3700, 0.0004, 1.7598, 1.7604), figures
    locust = """
         Aggregated  3650     0(0.00%) |      9       0    1795       1 |  182.53        0.00
         Aggregated        1      1      2      2      5     13   1200   1800   1800   1800   1800   3650
"""
    [figures] = PacedLocust().read(locust, None)
    assert (figures.count, figures.p50, figures.p95, figures.p99, figures.max) == (3650, 0.001, 0.013, 1.8, 1.795), figures
