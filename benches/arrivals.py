#!/usr/bin/env python3
"""The open model under load: how many arrivals come of how many planned, how late they start, what one costs, how steep a spike may be.

`count` and `cost` run against nginx on the other core, which counts; `spike` against `punk target`, whose log has times. Loopback only.
docs/performance.md has the figures.
"""

import json
import os
import time
from pathlib import Path

from harness import command, lanes, rows, server, statistics
from harness.process import Died, Tool
from harness.target import Target
from peers import Punk

HERE = Path(__file__).parent
ROWS = ("count", "cost", "spike")
AGAIN = "paced (A/A)"


def arguments():
    parser = command.parser(__doc__)
    command.add_rows(parser, ROWS)
    parser.add_argument("--rates", default="100,1000,20000", help="of `count`, per second")
    parser.add_argument("--cost-rate", type=float, default=20000)
    parser.add_argument("--seconds", type=float, default=10, help="of a run of `count`; between the samples of `cost`")
    parser.add_argument("--warmup", type=float, default=3, help="before the first sample")
    parser.add_argument("--rounds", type=int, default=7, help="of `cost`; `count` and `spike` run three times at most")
    parser.add_argument("--users", type=int, default=64, help="of the closed lanes")
    parser.add_argument("--spike-users", type=int, default=5000)
    command.add_cores(parser)
    command.add_order(parser)
    command.add_out(parser, "arrivals")
    return parser.parse_args()


def main():
    bench = arguments()
    punk = Punk().needed()
    os.sched_setaffinity(0, {bench.server_core})
    result = command.begin(load=os.getloadavg(), version=Punk().version())
    with command.folder(bench) as folder:
        with server.Nginx(folder / "nginx", bench.server_core, 2048) as nginx:
            if "count" in bench.rows:
                result["count"] = count(bench, nginx, folder)
            if "cost" in bench.rows:
                result["cost"] = cost(bench, nginx, folder)
        if "spike" in bench.rows:
            result["spike"] = spike(bench, punk, folder)
    print(f"\nall samples: {command.save(bench, result)}")


def argv(script, summary, shards=1):
    return Punk().run(HERE / f"{script}.rhai", shards, summary, "--quiet")


def values(summary, metric):
    return json.loads(summary.read_text())["metrics"][metric]["values"]


def count(bench, nginx, folder):
    """Runs to their end: nginx's count against rate × time, and punk's own lateness."""
    print(
        f"\n## count: runs of {bench.seconds:g} s, one shard\n\n"
        "| rate | planned | server counted | off by | lateness p50 | p99 | max | CPU of the core |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    samples = []
    for rate in map(float, bench.rates.split(",")):
        for _ in range(min(3, bench.rounds)):
            summary = folder / "count.json"
            environment = {
                "BASE_URL": nginx.url("http", ""),
                "RATE": f"{rate:g}",
                "DURATION": f"{bench.seconds:g}s",
            }
            with rows.underway(argv("open", summary), bench, folder / "count.out", environment, nginx) as (tool, before):
                time.sleep(bench.seconds * 0.2)
                first, began = tool.cpu(), time.perf_counter()
                time.sleep(bench.seconds * 0.6)
                cpu = (tool.cpu() - first) / (time.perf_counter() - began)
                tool.finish(bench.seconds + 30)
            counted, planned = nginx.status().requests - before, round(rate * bench.seconds)
            late = values(summary, "iteration_lateness")
            sample = {"rate": rate, "planned": planned, "counted": counted, "cpu": cpu, "lateness_ms": late}
            samples.append(sample)
            off = (counted - planned) / planned
            print(
                f"| {rate:g}/s | {planned} | {counted} | {off:+.3%} | {late['med']:.3f} ms | {late['p(99)']:.3f} ms "
                f"| {late['max']:.2f} ms | {cpu:.0%} |",
                flush=True,
            )
    return samples


def cost(bench, nginx, folder):
    """CPU per request of the open model, of a closed one paced to the same rate (twice: the noise), and of one that does what it can."""
    period = bench.users / bench.cost_rate
    common = {"BASE_URL": nginx.url("http", ""), "DURATION": "300s", "USERS": str(bench.users)}
    load = {
        "open": ("open", {"RATE": f"{bench.cost_rate:g}"}),
        "paced": ("paced", {"PERIOD": f"{period * 1e6:.0f}us"}),
        AGAIN: ("paced", {"PERIOD": f"{period * 1e6:.0f}us"}),
        "closed": ("get", {}),
    }

    def measure(lane):
        script, environment = load[lane]
        return spent(bench, nginx, folder, script, {**common, **environment})

    found = lanes.interleaved("cost", load, bench, measure)
    print(
        f"\n## cost: {bench.cost_rate:g}/s, one shard on one core, {bench.rounds} interleaved rounds of {bench.seconds:g} s\n\n"
        "| lane | CPU per request, µs (least – greatest) | ratio to paced | ratio to closed | requests/s | connections | CPU of the core |\n"
        "|---|---|---|---|---|---|---|"
    )
    us = {lane: {turn: s["us"] for turn, s in samples.items()} for lane, samples in found.items()}
    for lane, samples in found.items():
        if not samples:
            print(f"| {lane} | failed | | | | | |")
            continue
        of = statistics.spread(list(us[lane].values()))
        ratios = [statistics.spread(statistics.ratios(us[lane], us[base])) for base in ("paced", "closed")]
        told = [f"{r['median']:.2f} ({r['min']:.2f} – {r['max']:.2f})" if r else "–" for r in ratios]

        def middle(key):
            return statistics.median(s[key] for s in samples.values())

        print(
            f"| {lane} | {of['median']:.2f} ({of['min']:.2f} – {of['max']:.2f}) | {told[0]} | {told[1]} | {middle('rate'):.0f} "
            f"| {middle('connections'):.0f} | {middle('cpu'):.0%} |"
        )
    noise = statistics.floor(statistics.ratios(us[AGAIN], us["paced"]))
    if noise is not None:
        print(f"\nnoise floor: {noise:.1%} (worst of {len(us[AGAIN])} A/A rounds)")
    return found


def spent(bench, nginx, folder, script, environment):
    run = argv(script, folder / "cost.json")
    with rows.underway(run, bench, folder / "cost.out", environment, nginx) as (tool, _):
        time.sleep(bench.warmup)
        first = rows.sample(tool, nginx)
        time.sleep(bench.seconds)
        last = rows.sample(tool, nginx)
        tool.check()
        tool.stop()
    requests, span = last["requests"] - first["requests"], last["at"] - first["at"]
    used = last["cpu"] - first["cpu"]
    if requests < 100:
        raise Died(f"only {requests} requests in {span:.0f} s")
    return {
        "us": used / requests * 1e6,
        "rate": requests / span,
        "connections": last["active"],
        **rows.shares(first, last, bench.tool_core),
    }


def spike(bench, punk, folder):
    """Users who start within the second that the shape gives them: by their own word, and by when the server was asked."""
    print(
        f"\n## spike: 10 to {bench.spike_users} users in one second, two shards, two cores shared with the server\n\n"
        "| users started | last start after the second's end | last request at the server after it |\n|---|---|---|",
        flush=True,
    )
    samples = []
    both = {bench.tool_core, bench.server_core}
    for _ in range(min(3, bench.rounds)):
        with Target(punk, both, folder / "target.out", "--log", 2 * bench.spike_users) as target:
            summary = folder / "spike.json"
            environment = {"BASE_URL": target.url, "USERS": str(bench.spike_users)}
            with Tool(argv("spike", summary, 2), both, folder / "spike.out", environment) as tool:
                tool.finish(60)
            log = target.log()
        started = values(summary, "started")
        # The first users start at once: the first request stands for the start of the run.
        asked = [1000 * (at - log[0][0]) for at, _, _ in log]
        sample = {"started": len(asked), "last_start_ms": started["max"] - 2000, "last_asked_ms": asked[-1] - 2000}
        samples.append(sample)
        print(
            f"| {sample['started']} | {sample['last_start_ms']:+.1f} ms | {sample['last_asked_ms']:+.1f} ms |",
            flush=True,
        )
    return samples


if __name__ == "__main__":
    main()
