"""A script of benches/ as a command: the arguments that several have, the folder that it works in, and its result as a file.

What it measures and what it prints is its own affair.
"""

import argparse
import json
import os
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).parents[2]


def parser(about, **more):
    """A parser that introduces itself by the first paragraph of `about`."""
    return argparse.ArgumentParser(description=about.split("\n\n")[0], **more)


def some_of(known):
    """The type of an argument: comma-separated names, of those that are `known`."""

    def read(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"`{name}` is none of {', '.join(known)}")
        return names

    return read


def add_rows(parser, rows):
    parser.add_argument("--rows", type=some_of(rows), default=",".join(rows))


def add_cores(parser):
    parser.add_argument("--tool-core", type=int, default=0)
    parser.add_argument("--server-core", type=int, default=1)


def add_order(parser):
    parser.add_argument("--seed", type=int, default=1, help="of the order of the lanes within a round")


def add_out(parser, name):
    parser.set_defaults(name=name)
    parser.add_argument("--out", type=Path, help=f"JSON result; default target/bench/{name}-TIME.json")


@contextmanager
def folder(bench):
    """A folder for what the run writes; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"punk-{bench.name}-") as path:
        os.chmod(path, 0o755)  # nginx's worker runs under another user
        yield Path(path)


def begin(**facts):
    """A result, with what is known before anything is measured."""
    return {"command": sys.argv, "at": datetime.now(timezone.utc).isoformat(timespec="seconds"), **facts}


def save(bench, result):
    """Writes a result and returns where it is."""
    out = bench.out or ROOT / "target" / "bench" / f"{bench.name}-{datetime.now():%Y%m%d-%H%M%S}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1, default=str))
    return out
