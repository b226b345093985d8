"""The tools of the comparison: a closed list, each with where it is found, how it is called, and the settings that its documents call fastest.

A peer gets a `Job` and answers with the command, or None for a row that it cannot do. It does not know how it is measured.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
INSTALLED = ROOT / "target" / "peers"
OHA, GOOSE, LOCUST, AUTOCANNON, ARTILLERY = "1.16.0", "0.19.0", "2.47.0", "9.0.0", "2.0.34"


@dataclass
class Job:
    """What a row wants: `base` and `path` make the URL; `seconds` is an upper bound, the harness ends the tool before."""

    row: str
    base: str
    path: str
    users: int
    seconds: int
    folder: Path
    environment: dict = field(init=False)

    def __post_init__(self):
        self.environment = {
            "ROW": self.row,
            "BASE_URL": self.base,
            "URL_PATH": self.path,
            "USERS": str(self.users),
            "SECONDS": str(self.seconds),
            "DURATION": f"{self.seconds}s",
        }

    @property
    def url(self):
        return self.base + self.path


class Peer:
    """`command(job)` gives argv and environment; `own_count(output)` the tool's own number of answered requests, if it tells."""

    name = ""
    settings = ""
    rows = ("get", "tls", "json", "operations")
    baseline = False

    def find(self):
        raise NotImplementedError

    def version(self):
        return first_version([self.find(), "--version"])

    def command(self, job):
        raise NotImplementedError

    def own_count(self, _output):
        return None


class Wrk(Peer):
    name = "wrk"
    settings = "-t1, no script: no check, no metric but latency"
    rows = ("get", "tls", "json", "cold")

    def find(self):
        return shutil.which("wrk")

    def version(self):
        return first_version([self.find(), "-v"])

    def command(self, job):
        return [self.find(), "-t1", f"-c{job.users}", f"-d{job.seconds}s", job.url], {}

    def own_count(self, output):
        return number("(\\d+) requests in", output)


class WrkLua(Wrk):
    name = "wrk-lua"
    settings = "-t1, a Lua request function and a response callback that compares the status"
    rows = ("get", "tls", "operations")

    def command(self, job):
        return [
            self.find(),
            "-t1",
            f"-c{job.users}",
            f"-d{job.seconds}s",
            "-s",
            HERE / "wrk.lua",
            job.base,
        ], job.environment


class Punk(Peer):
    name = "punk"
    settings = "--shards 1; http::get and one check closure, all default metrics"
    rows = ("get", "tls", "http2", "json", "operations", "memory", "flat", "cold")
    scripts = {
        "get": "get",
        "flat": "get",
        "cold": "get",
        "tls": "tls",
        "http2": "tls",
        "json": "json",
        "operations": "operations",
        "memory": "sleep",
    }

    def find(self):
        path = Path(os.environ.get("PUNK", ROOT / "target/release/punk"))
        return str(path) if path.exists() else None

    def needed(self):
        """The same for scripts that measure nothing else: without it they end."""
        return self.find() or sys.exit("punk is not built: cargo build --release, or PUNK=path")

    def run(self, script, shards, summary, *flags):
        """The command that runs a script and leaves its summary, whatever the verdict about the generator is."""
        return [self.find(), script, "--shards", shards, *flags, "--summary", summary, "--on-invalid", "warn"]

    def command(self, job):
        script = HERE.parent / f"{self.scripts[job.row]}.rhai"
        http = {"HTTP": "2"} if job.row == "http2" else {}
        return [self.find(), script, "--shards", "1", "--quiet", "--json"], {
            **job.environment,
            **http,
        }

    def own_count(self, output):
        # The summary is the object that starts a line; progress and warnings may stand around it.
        for start in re.finditer("^{", output, re.M):
            try:
                summary, _ = json.JSONDecoder().raw_decode(output[start.start() :])
                return int(summary["metrics"]["http_reqs"]["values"]["count"])
            except (ValueError, KeyError, TypeError):
                continue
        return None


class Oha(Peer):
    name = "oha"
    settings = "--no-tui --worker-threads 1, no script"
    rows = ("get", "tls", "http2", "json", "cold")

    def find(self):
        return installed("bin/oha") or shutil.which("oha")

    def command(self, job):
        http2 = ["--http2"] if job.row == "http2" else []
        return [
            self.find(),
            "--no-tui",
            "--worker-threads",
            "1",
            "--no-color",
            "--insecure",
            "-c",
            job.users,
            "-z",
            f"{job.seconds}s",
            *http2,
            job.url,
        ], {}

    def own_count(self, output):
        return number("\\[200\\] (\\d+) responses", output)


class Goose(Peer):
    name = "goose"
    settings = "compiled scenario (benches/peers/goose), release, one worker thread, no report file"
    rows = ("get", "json", "operations", "memory", "cold")  # no flag accepts the bench's certificate

    def find(self):
        return installed("build/release/goose-get")

    def version(self):
        return GOOSE

    def command(self, job):
        argv = [
            self.find(),
            "--host",
            job.base,
            "--users",
            job.users,
            "--increase-rate",
            min(job.users, 2000),
            "--run-time",
            f"{job.seconds}s",
            "--no-print-metrics",
            "--no-telnet",
            "--quiet",
        ]
        return argv, job.environment


class Locust(Peer):
    name = "locust"
    settings = "FastHttpUser, headless, one process"
    rows = ("get", "tls", "json", "operations", "memory", "cold")

    def find(self):
        return installed("locust/bin/locust") or shutil.which("locust")

    def command(self, job):
        argv = [
            self.find(),
            "-f",
            HERE / "locustfile.py",
            "--headless",
            "--only-summary",
            "-u",
            job.users,
            "-r",
            min(job.users, 500),
            "-t",
            f"{job.seconds}s",
            "-H",
            job.base,
            "--loglevel",
            "ERROR",
        ]
        return argv, job.environment

    def own_count(self, output):
        found = re.search(
            "Aggregated\\s+(\\d+)", output
        )  # the table of percentiles that follows has such a line, too
        return int(found[1]) if found else None


class K6(Peer):
    name = "k6"
    settings = "one GET and one check per iteration, no outputs"
    rows = ("get", "tls", "http2", "json", "operations", "memory", "cold")

    def find(self):
        return shutil.which("k6")

    def command(self, job):
        http2 = {} if job.row == "http2" else {"GODEBUG": "http2client=0"}
        return [self.find(), "run", "--quiet", "--no-usage-report", HERE / "k6.js"], {
            **job.environment,
            **http2,
            "GOMAXPROCS": "1",
        }

    def own_count(self, output):
        return number("http_reqs[.: ]+(\\d+)", output)


class Autocannon(Peer):
    name = "autocannon"
    settings = "one process, no pipelining, no script"
    rows = ("get", "tls", "json", "cold")

    def find(self):
        return installed("node/node_modules/.bin/autocannon") or shutil.which("autocannon")

    def version(self):
        return AUTOCANNON

    def command(self, job):
        return [self.find(), "-c", job.users, "-d", job.seconds, "--no-progress", job.url], {
            "NODE_TLS_REJECT_UNAUTHORIZED": "0"
        }


class Artillery(Peer):
    name = "artillery"
    settings = "one worker, a loop of GETs without check"
    rows = ("get", "tls", "json", "cold")

    def find(self):
        return installed("node/node_modules/.bin/artillery") or shutil.which("artillery")

    def version(self):
        return ARTILLERY

    def command(self, job):
        test = json.loads((HERE / "artillery.json").read_text())
        test["config"]["target"] = job.base
        test["config"]["phases"][0]["arrivalCount"] = job.users
        test["scenarios"][0]["flow"][0]["loop"][0]["get"]["url"] = job.path
        path = job.folder / "artillery.json"
        path.write_text(json.dumps(test))
        return [self.find(), "run", "--quiet", path], {"ARTILLERY_DISABLE_TELEMETRY": "true", "WORKERS": "1"}


PEERS = [Wrk(), WrkLua(), Punk(), Oha(), Goose(), Autocannon(), K6(), Locust(), Artillery()]
BASELINES = {"get": "wrk", "tls": "wrk", "json": "wrk", "operations": "wrk-lua", "http2": "oha"}


def installed(path):
    return str(INSTALLED / path) if (INSTALLED / path).exists() else None


def number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else None


def first_version(argv):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    found = re.search("\\d+\\.\\d+[\\w.+-]*", done.stdout + done.stderr)
    return found[0] if found else "unknown"


def install():
    """Builds and fetches the peers that package registries have, below target/peers; a failure of one is told and does not stop the others."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    build = ["--target-dir", INSTALLED / "build"]
    steps = [
        (
            "oha",
            Oha,
            [["cargo", "install", "oha", "--version", OHA, "--locked", "--root", INSTALLED, *build]],
        ),
        (
            "goose",
            Goose,
            [
                [
                    "cargo",
                    "build",
                    "--release",
                    "--locked",
                    "--manifest-path",
                    HERE / "goose/Cargo.toml",
                    *build,
                ]
            ],
        ),
        (
            "locust",
            Locust,
            [
                ["python3", "-m", "venv", INSTALLED / "locust"],
                [INSTALLED / "locust/bin/pip", "install", "-q", f"locust=={LOCUST}"],
            ],
        ),
        (
            "autocannon",
            Autocannon,
            [["npm", "install", "--silent", "--prefix", INSTALLED / "node", f"autocannon@{AUTOCANNON}"]],
        ),
        (
            "artillery",
            Artillery,
            [["npm", "install", "--silent", "--prefix", INSTALLED / "node", f"artillery@{ARTILLERY}"]],
        ),
    ]
    for name, peer, commands in steps:
        if peer().find():
            print(f"{name}: installed")
            continue
        for argv in commands:
            print("+", *argv, flush=True)
            try:
                environment = {
                    **os.environ,
                    "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
                }  # artillery's engine for browsers is not wanted
                failed = subprocess.run(
                    [str(a) for a in argv], stdin=subprocess.DEVNULL, env=environment, check=False
                ).returncode
            except FileNotFoundError as error:
                failed = error
            if failed:
                print(f"{name}: not installed ({failed})")
                break
    print("wrk and nginx come from the system (Debian: wrk nginx-light openssl), k6 from https://k6.io")
