#!/usr/bin/env python3
"""What watching costs a run: the same open model with nobody at the monitor, and with a crowd or a dashboard at it.

`streams`: readers of `/ws/metrics` and clients that never read. `dashboard`: one stream per second and one scrape per second.
punk has one core, monitor included; the server that it asks and the crowd have the other one. Loopback only. docs/performance.md has the figures.
"""

import http.client
import json
import os
import resource
import time
from pathlib import Path
from statistics import median

from harness import command, lanes, rows, server
from harness.process import cores
from harness.streams import Crowd
from peers import Punk

HERE = Path(__file__).parent
# Row: its lanes, and the crowd of each. A lane without `monitor` has none.
ROWS = {
    "streams": {"alone": {}, "crowd": {"path": "/ws/metrics", "readers": "readers", "silent": "silent"}},
    "dashboard": {"off": {"monitor": False}, "alone": {}, "dashboard": {"path": "/ws/metrics?interval=1", "scrapes": 1}},
}


def arguments():
    parser = command.parser(__doc__)
    command.add_rows(parser, ROWS)
    parser.add_argument("--rate", type=float, default=2000, help="arrivals per second")
    parser.add_argument("--seconds", type=float, default=90, help="of a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--readers", type=int, default=1000, help="of `streams`: clients that read")
    parser.add_argument("--silent", type=int, default=200, help="of `streams`: clients that never do")
    parser.add_argument("--script", default="open", help="`operations` asks for 500 operations, closed model")
    parser.add_argument("--warmup", type=float, default=10, help="before the first sample; the crowd comes in it")
    command.add_cores(parser)
    command.add_order(parser)
    command.add_out(parser, "monitor")
    bench = parser.parse_args()
    if bench.seconds <= bench.warmup + 2:
        parser.error("`--seconds` must be longer than `--warmup`")
    return bench


def main():
    bench = arguments()
    Punk().needed()
    os.sched_setaffinity(0, {bench.server_core})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    result = command.begin(load=os.getloadavg(), version=Punk().version())
    with command.folder(bench) as folder:
        with server.Nginx(folder / "nginx", bench.server_core, 2048) as nginx:
            for row in bench.rows:
                result[row] = watch(bench, nginx, folder, row)
    print(f"\nall samples: {command.save(bench, result)}")


def watch(bench, nginx, folder, row):
    rounds = lanes.interleaved(row, ROWS[row], bench, lambda lane: watched(bench, nginx, folder, ROWS[row][lane]))
    found = {lane: list(samples.values()) for lane, samples in rounds.items()}
    print(
        f"\n## {row}: {bench.rate:g}/s for {bench.seconds:g} s, one shard and the monitor on one core, median of {bench.rounds} rounds\n\n"
        "| lane | off by | lateness p50 | p99 | monitor's CPU (of a core) | punk's CPU | RSS at the end (most) | messages: made | read | lost | dropped clients |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for lane, samples in found.items():
        if not samples:
            print(f"| {lane} | failed | | | | | | | | | |")
            continue

        def mid(of, samples=samples):
            return median(of(sample) for sample in samples)

        print(
            f"| {lane} | {mid(lambda s: s['off']):+.3%} | {mid(lambda s: s['late']['med']):.3f} ms | {mid(lambda s: s['late']['p(99)']):.3f} ms "
            f"| {mid(lambda s: s['monitor_cpu']):.2%} | {mid(lambda s: s['cpu']):.1%} "
            f"| {mid(lambda s: s['rss'][-1][1]) / 1e6:.1f} MB ({mid(lambda s: max(r for _, r in s['rss'])) / 1e6:.1f}) "
            f"| {mid(lambda s: s['streams'].get('messages_made', 0)):.0f} | {mid(lambda s: s['crowd'].get('messages', 0)):.0f} "
            f"| {mid(lambda s: s['crowd'].get('gaps', 0)):.0f} | {mid(lambda s: s['streams'].get('dropped', 0)):.0f} |",
            flush=True,
        )
    return found


def watched(bench, nginx, folder, lane):
    """One run, from its start to its end."""
    port = server.free_ports(1)[0]
    monitor = ["--monitor-addr", f"127.0.0.1:{port}"] if lane.get("monitor", True) else ["--no-monitor"]
    summary = folder / "monitor.json"
    argv = Punk().run(HERE / f"{bench.script}.rhai", 1, summary, "--quiet", *monitor)
    environment = {"BASE_URL": nginx.url("http", ""), "RATE": f"{bench.rate:g}", "DURATION": f"{bench.seconds:g}s"}
    wanted = {who: getattr(bench, lane[who]) if isinstance(lane.get(who), str) else lane.get(who, 0) for who in ("readers", "silent")}
    if lane.get("path") and not wanted["readers"]:
        wanted["readers"] = 1
    crowd = Crowd(port, lane.get("path"), **wanted, scrapes=lane.get("scrapes", 0))
    with rows.underway(argv, bench, folder / "monitor.out", environment, nginx) as (tool, before):
        began = time.monotonic()
        crowd.start()
        time.sleep(max(0.0, began + bench.warmup - time.monotonic()))
        first, rss, streams = sample(tool), [], {}
        while time.monotonic() < began + bench.seconds - 3:
            rss.append((round(time.monotonic() - began, 1), tool.resident()))
            time.sleep(2)
        last = sample(tool)
        if lane.get("monitor", True):
            streams = health(port)
        tool.finish(bench.seconds + 30)
    told = crowd.stop() if lane.get("path") else {}
    metrics = json.loads(summary.read_text())["metrics"]
    counted, planned = nginx.status().requests - before, round(bench.rate * bench.seconds)
    span = last["at"] - first["at"]
    lateness = metrics.get("iteration_lateness", {}).get("values", {"med": 0.0, "p(99)": 0.0})
    return {
        "planned": planned,
        "counted": counted,
        "off": (counted - planned) / planned,
        "late": lateness,
        "monitor_cpu": (last["monitor"] - first["monitor"]) / span,
        **rows.shares(first, last, bench.tool_core),
        "rss": rss,
        "streams": streams,
        "crowd": told,
    }


def sample(tool):
    return {"at": time.perf_counter(), "cpu": tool.cpu(), "cores": cores(), "monitor": tool.thread_cpu("monitor") or 0.0}


def health(port):
    """What the monitor counts of its streams."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        told = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return told.get("components", {}).get("monitor", {}).get("streams", {})


if __name__ == "__main__":
    main()
