#!/usr/bin/env python3
"""What load tools say about a server that freezes: their percentiles against the truth, their counts against the server's.

`punk target` freezes for a while, counted from each tool's first request; every tool is asked for the same rate over the same number of
connections. docs/stall.md says how to read the table. Loopback only; tool and server have a core each.
"""

import os
from dataclasses import asdict

from harness import command, truth
from harness.process import Died, Tool, cores
from harness.target import Target
from peers import Punk
from peers.paced import PACED, Figures, Pace, self_test

PLACES = ("middle", "start", "end")


def arguments():
    parser = command.parser(__doc__)
    parser.add_argument("--rate", type=float, default=500, help="requests per second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--stall", type=float, default=2, help="seconds that the server freezes")
    parser.add_argument(
        "--places", type=command.some_of(PLACES), default="middle", help=f"comma-separated, of {', '.join(PLACES)}"
    )
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--only", help="comma-separated beginnings of names: " + ", ".join(p.name for p in PACED))
    command.add_cores(parser)
    command.add_out(parser, "stall")
    parser.add_argument("--self-test", action="store_true", help="test the arithmetic and the parsers, and end")
    bench = parser.parse_args()
    if bench.stall > bench.seconds - 1:
        parser.error("the run is to be at least a second longer than the stall")
    wanted = bench.only.split(",") if bench.only else [""]
    bench.peers = [p for p in PACED if any(p.name.startswith(w) for w in wanted)]
    if not bench.peers:
        parser.error(f"`--only {bench.only}` leaves no tool")
    return bench


def main():
    bench = arguments()
    if bench.self_test:
        truth.self_test()
        self_test()
        return print("the harness agrees with itself")
    punk = Punk().needed()
    os.sched_setaffinity(0, {bench.server_core})
    versions = {p.name: p.version() if p.find() else None for p in bench.peers}
    result = command.begin(load=os.getloadavg(), versions=versions, places={})
    with command.folder(bench) as folder:
        for place in bench.places:
            lanes = result["places"][place] = []
            print("\n".join(heading(bench, place)), flush=True)
            for peer in bench.peers:
                lane = one(bench, place, peer, punk, folder)
                lanes.append(lane)
                print("\n".join(lines(lane)), flush=True)
    print(f"\nall figures: {command.save(bench, result)}")


def begins(bench, place):
    """Seconds from the first request to the freeze. At the end it is over a fifth of a second before the run is."""
    return {
        "start": 0.5,
        "middle": (bench.seconds - bench.stall) / 2,
        "end": bench.seconds - bench.stall - 0.2,
    }[place]


def one(bench, place, peer, punk, folder):
    """One tool against a fresh target. What is not there and what failed is a lane, too."""
    if not peer.find():
        return {"name": peer.name, "failed": "not installed"}
    planned = round(bench.rate * bench.seconds)
    freeze = f"first+{begins(bench, place) * 1000:.0f}ms+{bench.stall * 1000:.0f}ms"
    flags = ["--stall", freeze, "--log", planned + 1000]
    with Target(punk, bench.server_core, folder / "target.out", *flags) as target:
        pace = Pace(target.url, bench.rate, bench.seconds, bench.connections, folder)
        argv, env = peer.command(pace)
        before = cores()
        try:
            with Tool(argv, bench.tool_core, folder / "tool.out", env) as tool:
                code = tool.finish(bench.seconds + 60)
                output = tool.output()
            figures = peer.read(output, pace)
        except (Died, KeyError, ValueError, IndexError, OSError) as error:
            last = " / ".join(tool.output().splitlines()[-3:])
            return {"name": peer.name, "failed": f"{type(error).__name__}: {error}: {last}"[:300]}
        after = cores()
        stats, log = target.stats(), target.log()
    lane = {
        "name": peer.name,
        "argv": [str(a) for a in argv],
        "code": code,
        "planned": planned,
        "received": stats["requests"],
        "given_up": stats["given_up"],
        "steal": sum(after[c]["steal"] - before[c]["steal"] for c in after),
        "figures": [asdict(f) for f in figures],
    }
    # One arrival for each slot, but for one at either end: then the log says what users on schedule waited.
    if abs(stats["requests"] - planned) <= 1:
        times = truth.by_log(log, bench.rate)
        lane["log"] = [truth.percentile(times, q) for q in truth.QUANTILES]
    return lane


def heading(bench, place):
    freeze = begins(bench, place)
    planned = round(bench.rate * bench.seconds)
    formula = [truth.by_formula(bench.rate, bench.seconds, bench.stall, q) for q in truth.QUANTILES]
    return [
        "",
        f"{bench.rate:g}/s for {bench.seconds:g} s over {bench.connections} connections; the server freezes from {freeze:g} s to "
        f"{freeze + bench.stall:g} s after the first request ({place})",
        "",
        "| tool | server received | never sent | tool says never sent | tool reports | p50 | p95 | p99 | max |",
        "|---|---|---|---|---|---|---|---|---|",
        f"| **truth, by formula** | {planned} | 0 | | | {' | '.join(f'**{time(t)}**' for t in formula)} |",
    ]


def lines(lane):
    if "failed" in lane:
        return [f"| {lane['name']} | {lane['failed']} | | | | | | | |"]
    received, never = lane["received"], max(0, lane["planned"] - lane["received"])
    told = []
    for figures in (Figures(**f) for f in lane["figures"]):
        note = f" ({'; '.join(figures.remarks)})" if figures.remarks else ""
        times = " | ".join(time(t) for t in (figures.p50, figures.p95, figures.p99, figures.max))
        said = "–" if figures.not_sent is None else figures.not_sent
        told.append(f"| {figures.name} | {received} | {never} | {said} | {figures.count}{note} | {times} |")
    if "log" in lane:
        times = " | ".join(time(t) for t in lane["log"])
        told.append(f"| *{lane['name']}: by the server's log* | {received} | {never} | | | {times} |")
    return told


def time(seconds):
    if seconds is None:
        return "–"
    if seconds == 0:
        return "0"
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
