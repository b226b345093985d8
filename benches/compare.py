#!/usr/bin/env python3
"""punk and its peers on one machine: CPU per request, memory per user, cold start. `python3 benches/compare.py` prints the table.

One core for the tool, one for nginx; loopback only; rounds interleaved; wrk twice in every round, so that the noise of the machine is
known (docs/performance.md says how to read it). Everything measured goes into a JSON file, too. `--help` tells how to run less of it.
"""

import os
import platform
import random
import sys
import time
from pathlib import Path

from harness import command, rows, server, statistics, table
from harness.process import Died
from peers import BASELINES, PEERS, Job, install

CPU_ROWS = {
    "get": ("http", "/", "keep-alive GET, body of 130 bytes"),
    "tls": ("https", "/", "the same over TLS"),
    "http2": ("http2", "/", "the same over HTTP/2 and TLS"),
    "json": ("http", "/items.json", "keep-alive GET, 20 KB of JSON; scripted tools read a field"),
    "operations": ("http", "/op", "keep-alive GET over 500 named operations"),
}
ROWS = [*CPU_ROWS, "memory", "cold", "flat"]


def arguments():
    parser = command.parser(__doc__, epilog="rows: " + ", ".join(ROWS))
    parser.add_argument(
        "--rows",
        type=command.some_of(ROWS),
        default=",".join(r for r in ROWS if r != "flat"),
        help="comma-separated; default all but flat",
    )
    names = [p.name for p in PEERS]
    parser.add_argument(
        "--only",
        type=command.some_of(names),
        default=",".join(names),
        help="comma-separated tools; default all: " + ", ".join(names),
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10, help="between the two samples of a round")
    parser.add_argument(
        "--warmup", type=float, default=5, help="seconds from the last connection to the first sample"
    )
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--sleepers", type=int, default=10_000, help="users of the row `memory`")
    parser.add_argument("--memory-rounds", type=int, default=1)
    parser.add_argument(
        "--flat", action="store_true", help="add the row `flat`: memory after 1 and 10 million requests"
    )
    parser.add_argument("--flat-requests", default="1000000,10000000")
    command.add_cores(parser)
    command.add_order(parser)
    command.add_out(parser, "compare")
    parser.add_argument(
        "--install-peers",
        action="store_true",
        help="install oha, goose, locust, autocannon, artillery below target/peers, and end",
    )
    parser.add_argument(
        "--self-test", action="store_true", help="test the arithmetic and the parsers, and end"
    )
    bench = parser.parse_args()
    bench.rows += ["flat"] if bench.flat else []
    bench.flat = [int(n) for n in bench.flat_requests.split(",")]
    bench.peers = [p for p in PEERS if p.name in bench.only]
    return bench


def main():
    bench = arguments()
    if bench.install_peers:
        return install()
    if bench.self_test:
        statistics.self_test()
        table.self_test()
        return print("the harness agrees with itself")
    for core in (bench.tool_core, bench.server_core):
        if core not in os.sched_getaffinity(0):
            sys.exit(f"this process may not use core {core}; --tool-core and --server-core choose others")
    if bench.tool_core == bench.server_core:
        sys.exit("tool and server need a core each")
    os.sched_setaffinity(0, {bench.server_core})
    with command.folder(bench) as folder:
        # nginx closes idle connections when fewer than a sixteenth of its own are free: a quarter more than there will be.
        connections = max(2 * bench.users, bench.sleepers * 5 // 4 if "memory" in bench.rows else 0, 1024)
        with server.Nginx(folder / "nginx", bench.server_core, connections) as nginx:
            result = measure(bench, nginx, folder)
    out = command.save(bench, result)
    print(table.draw(result))
    print(f"\nall samples: {out}")


def measure(bench, nginx, folder):
    versions = {p.name: p.version() if p.find() else None for p in bench.peers}
    result = command.begin(
        machine=machine(bench),
        nginx={"version": nginx.version(), "config": nginx.config},
        settings={p.name: p.settings for p in bench.peers},
        versions=versions,
        users=bench.users,
        sleepers=bench.sleepers,
        rounds=bench.rounds,
        seconds=bench.seconds,
        warmup=bench.warmup,
        rows={},
    )
    for row in bench.rows:
        entry = result["rows"][row] = {
            "about": about(row, bench),
            "samples": {},
            "failures": {},
            "absent": [],
            "unable": [],
        }
        lanes = []
        for peer in bench.peers:
            if not versions[peer.name]:
                entry["absent"].append(peer.name)
            elif row not in peer.rows:
                entry["unable"].append(peer.name)
            else:
                lanes.append((peer.name, peer))
        if row in CPU_ROWS:
            scheme, path, _ = CPU_ROWS[row]
            entry["answer_bytes"] = nginx.answer_bytes(scheme, path)
            # The A/A pair: the baseline, once more, as if it were another tool.
            entry["baseline"] = BASELINES[row] if BASELINES[row] in dict(lanes) else None
            if entry["baseline"]:
                lanes.append((entry["baseline"] + table.AGAIN, dict(lanes)[entry["baseline"]]))
        run_row(row, entry, lanes, bench, nginx, folder)
    result["machine"]["steal_seconds"] = steal() - result["machine"].pop("steal_before")
    return result


def run_row(row, entry, lanes, bench, nginx, folder):
    count = {"memory": bench.memory_rounds, "flat": 1}.get(row, bench.rounds)
    order = random.Random(bench.seed)
    for turn in range(count):
        lanes = order.sample(lanes, len(lanes))
        for lane, peer in lanes:
            if lane in entry["failures"]:
                continue
            print(f"{row}: round {turn + 1} of {count}, {lane}", file=sys.stderr, flush=True)
            try:
                record = one(row, peer, bench, nginx, folder)
                entry["samples"].setdefault(lane, {})[turn] = {"at": time.time(), **record}
            except Died as error:
                entry["failures"][lane] = str(error)
                print(f"  {lane}: {error}", file=sys.stderr)


def one(row, peer, bench, nginx, folder):
    bound = int(rows.CONNECT + bench.warmup + bench.seconds + 20)
    if row in CPU_ROWS:
        scheme, path, _ = CPU_ROWS[row]
        return rows.cpu_per_request(
            peer, Job(row, nginx.url(scheme, ""), path, bench.users, bound, folder), nginx, bench
        )
    if row == "memory":
        return rows.memory_per_user(
            peer, Job(row, nginx.url("http", ""), "/", bench.sleepers, 600, folder), nginx, bench
        )
    if row == "flat":
        return rows.flat(peer, Job(row, nginx.url("http", ""), "/", bench.users, 3600, folder), nginx, bench)
    return rows.cold_start(peer, Job(row, "", "/", bench.users, 30, folder), bench)


def about(row, bench):
    if row in CPU_ROWS:
        return f"{CPU_ROWS[row][2]}, {bench.users} users"
    return {
        "memory": f"resident memory per user, {bench.sleepers} users that made a request and sleep",
        "cold": "from exec to the first request at the server",
        "flat": "resident memory over one long run",
    }[row]


def machine(bench):
    model = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "kernel": platform.release(),
        "cpu": model[0] if model else platform.machine(),
        "cores": os.cpu_count(),
        "tool_core": bench.tool_core,
        "server_core": bench.server_core,
        "load": os.getloadavg(),
        "steal_before": steal(),
    }


def steal():
    return sum(core["steal"] for core in rows.cores().values())


if __name__ == "__main__":
    main()
