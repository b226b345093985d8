#!/usr/bin/env python3
"""Editing a run while it goes on: how soon an edit is judged and seen, what it costs the load, and what rules cost.

`seen`   a closed load that takes all there is: from the file saved to the new rule's verdict on standard error
`load`   an open load, with an edit every 300 ms and without: arrivals, the slowest second, lateness
`rules`  CPU of the thread that judges, with 200 rules over 200 series and with none

Everything runs against `punk target`, whose log has times. Loopback only. docs/performance.md has the figures.
"""

import json
import os
import random
import re
import sys
import time

from harness import command, statistics
from harness.process import Tool
from harness.target import Target
from peers import Punk

ROWS = ("seen", "load", "rules")
# Of a load that edits must not be seen in: seconds after an edit that are looked at.
AFTER = 3.0

CLOSED = """
scenario("load", #{ users: %(users)d, duration: 10.m, run: get });
threshold("http_req_duration", "p(95) < %(limit)dms over 3s");
fn get() { http::get("%(url)s/"); }
"""
OPEN = """
scenario("load", #{ rate: constant(%(rate)d).hold(%(seconds)d.s), max_users: 400, run: get });
threshold("http_req_duration", "p(95) < %(limit)dms over 10s");
fn get() { let edit = %(code)d; http::get("%(url)s/"); }
"""
MANY = """
scenario("load", #{ rate: constant(%(rate)d).hold(%(seconds)d.s), max_users: 400, run: get });
%(rules)s
fn get() { http::get("%(url)s/", #{ name: `op${rand::int(0, %(series)d)}` }); }
"""


def arguments():
    parser = command.parser(__doc__)
    command.add_rows(parser, ROWS)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--every", type=float, default=0.3, help="seconds between edits of `load`")
    parser.add_argument("--users", type=int, default=64, help="of `seen`")
    parser.add_argument("--rate", type=int, default=2000, help="of `load` and `rules`, per second")
    parser.add_argument("--rounds", type=int, default=3, help="of `load` and `rules`")
    parser.add_argument("--rules", type=int, default=200)
    parser.add_argument("--window", type=int, default=30, help="of each of the rules, seconds")
    parser.add_argument("--server-core", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the time between two edits of `seen`")
    command.add_out(parser, "edits")
    return parser.parse_args()


def main():
    bench = arguments()
    punk = Punk().needed()
    result = command.begin(load=os.getloadavg(), version=Punk().version())
    with command.folder(bench) as folder:
        for row in bench.rows:
            result[row] = {"seen": seen, "load": load, "rules": rules}[row](bench, punk, folder)
    print(f"\nall samples: {command.save(bench, result)}")


def save(script, text):
    """As most editors do: a new file takes the place of the old one."""
    fresh = script.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(script)


def argv(script, summary, shards):
    return Punk().run(script, shards, summary, "--ui", "plain")


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def seen(bench, punk, folder):
    """From the file saved to the new rule's verdict on standard error."""
    script, summary = folder / "seen.rhai", folder / "seen.json"
    chance, took = random.Random(bench.seed), []
    with Target(punk, bench.server_core, folder / "target.out") as target:
        told = {"users": bench.users, "url": target.url}
        save(script, CLOSED % {**told, "limit": 9_999})
        with Tool(argv(script, summary, 2), {0, 1}, folder / "seen.out") as tool:
            while target.stats()["requests"] < 1_000:
                tool.check()
                time.sleep(0.05)
            time.sleep(5)  # the window is full
            for edit in range(bench.edits):
                limit = 10_000 + edit
                saved = time.perf_counter()
                save(script, CLOSED % {**told, "limit": limit})
                # The rule with its verdict, not only the diff that names it.
                verdict = re.compile(rf"< {limit}ms over 3s: now ")
                while not verdict.search(tool.output()[-20_000:]):
                    tool.check()
                    if time.perf_counter() - saved > 10:
                        sys.exit(f"edit {edit} was not seen in 10 s:\n{tool.output()[-2_000:]}")
                    time.sleep(0.002)
                took.append(time.perf_counter() - saved)
                time.sleep(chance.uniform(0.1, 0.9))
            tool.stop()
        served, counted = target.stats()["requests"], requests(summary)
    print(
        f"\n## seen: {bench.edits} edits of a threshold under {bench.users} users that never wait, two shards on two cores\n\n"
        "| from save to verdict: median | p99 | longest | requests | counted by the server |\n|---|---|---|---|---|\n"
        f"| {percentile(took, 0.5) * 1e3:.0f} ms | {percentile(took, 0.99) * 1e3:.0f} ms | {max(took) * 1e3:.0f} ms "
        f"| {counted} | {served} |",
        flush=True,
    )
    return {"took": took, "requests": counted, "served": served}


def requests(summary):
    return round(json.loads(summary.read_text())["metrics"]["http_reqs"]["values"]["count"])


def load(bench, punk, folder):
    """An open load with an edit every so often, and without."""
    seconds = round(bench.edits * bench.every) + 6
    print(
        f"\n## load: {bench.rate}/s for {seconds} s, {bench.edits} edits of the code and of a rule in turn, {bench.every:g} s apart\n\n"
        "| run | arrivals | planned | slowest second | of those after an edit | lateness p99 | max | code revisions |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    samples = []
    for _ in range(bench.rounds):
        for edits in (0, bench.edits):
            samples.append(edited(bench, punk, folder, seconds, edits))
    return samples


def edited(bench, punk, folder, seconds, edits):
    script, summary = folder / "load.rhai", folder / "load.json"
    planned, at = bench.rate * seconds, []
    with Target(punk, bench.server_core, folder / "target.out", "--log", 2 * planned) as target:
        told = {"url": target.url, "rate": bench.rate, "seconds": seconds}
        save(script, OPEN % {**told, "limit": 9_999, "code": 0})
        with Tool(argv(script, summary, 1), 0, folder / "load.out") as tool:
            while target.stats()["requests"] == 0:
                tool.check()
                time.sleep(0.005)
            first = time.perf_counter()
            time.sleep(2)
            for edit in range(edits):
                at.append(time.perf_counter() - first)
                save(script, OPEN % {**told, "limit": 10_000 + edit // 2, "code": (edit + 1) // 2})
                time.sleep(max(0.0, first + 2 + (edit + 1) * bench.every - time.perf_counter()))
            tool.finish(seconds + 30)
        begins = sorted(arrived for arrived, *_ in target.log())
    arrived = [begin - begins[0] for begin in begins]
    slowest, after = slowest_seconds(arrived, seconds, at)
    told = json.loads(summary.read_text())
    late = told["metrics"]["iteration_lateness"]["values"]
    sample = {
        "edits": edits,
        "arrivals": len(arrived),
        "planned": planned,
        "slowest": slowest,
        "after_edits": after,
        "lateness_ms": late,
        "revisions": 1 + len(told["edits"]),
        "code": max([1] + [edit["code_revision"] for edit in told["edits"]]),
    }
    print(
        f"| {edits} edits | {len(arrived)} | {planned} | {slowest}/s | {after if after is not None else '–'} "
        f"| {late['p(99)']:.2f} ms | {late['max']:.1f} ms | {sample['code']} of {sample['revisions']} |",
        flush=True,
    )
    return sample


def slowest_seconds(arrived, seconds, edits):
    """Fewest arrivals in any second, in steps of 50 ms, without the first and the last; and of those within three seconds after an edit."""
    counts, low, high = [], 0, 0
    step = 1.0
    while step < seconds - 2:
        while arrived[low] < step:
            low += 1
        while high < len(arrived) and arrived[high] < step + 1:
            high += 1
        counts.append((step, high - low))
        step += 0.05
    near = [count for begin, count in counts if any(edit <= begin <= edit + AFTER - 1 for edit in edits)]
    return min(count for _, count in counts), min(near, default=None)


def judging(tool):
    """CPU seconds of the thread that merges and judges."""
    spent = tool.thread_cpu("collector")
    if spent is None:
        sys.exit("there is no thread `collector`")
    return spent


def rules(bench, punk, folder):
    """What rules cost each second."""
    print(
        f"\n## rules: {bench.rules} rules `p(95) over {bench.window}s`, each over a series of its own, at {bench.rate}/s\n\n"
        "| rules | series | CPU of the thread that merges and judges, per second of run |\n|---|---|---|"
    )
    samples, seconds = {0: [], bench.rules: []}, bench.window + 25
    for _ in range(bench.rounds):
        for count in samples:
            script, summary = folder / "rules.rhai", folder / "rules.json"
            names = [f"op{at}" for at in range(count)]
            text = "\n".join(
                f'threshold("http_req_duration{{name:{name}}}", "p(95) < 5s over {bench.window}s");' for name in names
            )
            with Target(punk, bench.server_core, folder / "target.out") as target:
                told = {"rules": text, "url": target.url, "rate": bench.rate, "seconds": seconds, "series": 200}
                save(script, MANY % told)
                with Tool(argv(script, summary, 1), 0, folder / "rules.out") as tool:
                    time.sleep(bench.window + 4)
                    tool.check()
                    first, began = judging(tool), time.perf_counter()
                    time.sleep(15)
                    spent = (judging(tool) - first) / (time.perf_counter() - began) * 1e3
                    tool.finish(seconds + 30)
            series = json.loads(summary.read_text())["generator"]["series"]
            samples[count].append(spent)
            print(f"| {count} | {series} | {spent:.2f} ms |", flush=True)
    middle = {count: statistics.median(spent) for count, spent in samples.items()}
    print(f"\n{bench.rules} rules: {middle[bench.rules] - middle[0]:.2f} ms per second of run (difference of medians)")
    return samples


if __name__ == "__main__":
    main()
