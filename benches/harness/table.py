"""The printed table: medians with their spread, ratios with their verdict, and whatever stands against a number."""

from . import statistics

AGAIN = " (A/A)"
CPU = "cpu_us_per_request"


def draw(result):
    m = result["machine"]
    lines = [
        f"{result['at']}  {m['cpu']}, {m['cores']} cores, Linux {m['kernel']}, nginx {result['nginx']['version']}; tool on core {m['tool_core']}, server on core {m['server_core']}; "
        f"load before {m['load'][0]:.1f}, {m['steal_seconds']:.1f} s stolen",
    ]
    for row, entry in result["rows"].items():
        lines += ["", f"## {row}: {entry['about']}"]
        if entry.get("answer_bytes"):
            lines.append(
                f"an answer is {entry['answer_bytes']} bytes; {result['rounds']} rounds of {result['seconds']:g} s after {result['warmup']:g} s"
            )
        lines += {"memory": memory, "flat": flat, "cold": cold}.get(row, cpu)(entry, result)
        for name in entry["absent"]:
            lines.append(f"{name:<14} not installed")
        for name, why in entry["failures"].items():
            lines.append(f"{name:<14} failed: {why}")
    return "\n".join(lines)


def cpu(entry, result):
    values = {lane: {r: s[CPU] for r, s in samples.items()} for lane, samples in entry["samples"].items()}
    base = values.get(entry["baseline"], {})
    again = statistics.ratios(values.get(f"{entry['baseline']}{AGAIN}", {}), base)
    noise = statistics.floor(again)
    entry["noise_floor"] = noise
    entry["summary"] = {}
    lines = [
        f"{'tool':<14} {'version':<11} {'CPU per request, µs':>26}  {'ratio to ' + str(entry['baseline']):>22}  {'req/s':>8}"
    ]
    for lane, found in sorted(values.items(), key=lambda item: statistics.median(item[1].values())):
        us = statistics.spread(list(found.values()))
        ratio = statistics.spread(statistics.ratios(found, base)) if lane != entry["baseline"] else None
        said = "the noise" if lane.endswith(AGAIN) else statistics.verdict(ratio, noise)
        rate = statistics.median(s["requests_per_second"] for s in entry["samples"][lane].values())
        entry["summary"][lane] = {CPU: us, "ratio": ratio, "verdict": said}
        version = result["versions"].get(lane, "") or ""
        cost = f"{us['median']:.2f} ({us['min']:.2f} – {us['max']:.2f})"
        told = f"{ratio['median']:.2f} ({ratio['min']:.2f} – {ratio['max']:.2f})" if ratio else ""
        lines.append(
            f"{lane:<14} {version:<11} {cost:>26}  {told:>22}  {rate:8.0f}  {said}{notes(entry['samples'][lane])}".rstrip()
        )
    if noise is not None:
        lines.append(
            f"noise floor: {noise:.1%} (worst of {len(again)} A/A rounds); a median ratio inside it is no difference"
        )
    return lines


def memory(entry, result):
    lines = [f"{'tool':<14} {'version':<11} {'per user':>12}  {'at one user':>12} {'at all':>12}"]
    for lane, samples in entry["samples"].items():
        per = statistics.spread([s["bytes_per_user"] for s in samples.values()])
        last = list(samples.values())[-1]
        lines.append(
            f"{lane:<14} {result['versions'].get(lane) or '':<11} {per['median'] / 1024:8.1f} KiB  {last['resident_one'] / 2**20:8.1f} MiB {last['resident_all'] / 2**20:8.1f} MiB{notes(samples)}"
        )
    return lines


def flat(entry, result):
    lines = []
    for lane, samples in entry["samples"].items():
        for s in samples.values():
            steps = ", ".join(
                f"{r / 2**20:.1f} MiB after {n:,} requests" for n, r in zip(s["requests"], s["resident"])
            )
            lines.append(
                f"{lane:<14} {result['versions'].get(lane) or '':<11} {steps}; growth {s['growth'] / 2**20:+.2f} MiB, allowed {s['allowed'] / 2**20:.2f}{notes(samples)}"
            )
    return lines


def cold(entry, result):
    lines = [f"{'tool':<14} {'version':<11} {'to first accept':>26} {'to first byte':>26}"]
    for lane, samples in entry["samples"].items():
        spreads = [
            statistics.spread([1000 * s[k] for s in samples.values()])
            for k in ("accept_seconds", "request_seconds")
        ]
        told = "".join(f"{s['median']:8.1f} ms ({s['min']:.1f} – {s['max']:.1f})".rjust(27) for s in spreads)
        lines.append(f"{lane:<14} {result['versions'].get(lane) or '':<11}{told}{notes(samples)}")
    return lines


def notes(samples):
    """The remarks of a tool's rounds, each once, with the number of rounds that have it."""
    kinds = {}
    for sample in samples.values():
        for remark in sample["remarks"]:
            kinds.setdefault("".join(c for c in remark if not c.isdigit()), []).append(remark)
    told = [
        f"{found[-1]} ({len(found)} of {len(samples)} rounds)" if len(samples) > 1 else found[-1]
        for found in kinds.values()
    ]
    return "  ! " + "; ".join(told) if told else ""


def self_test():
    def sample(us):
        return {CPU: us, "requests_per_second": 1000, "remarks": []}

    entry = {
        "about": "a test",
        "absent": ["k6"],
        "unable": [],
        "failures": {"oha": "ended"},
        "baseline": "wrk",
        "answer_bytes": 300,
        "samples": {
            "wrk": {0: sample(4.0), 1: sample(5.0)},
            "wrk (A/A)": {0: sample(4.2), 1: sample(5.0)},
            "punk": {0: sample(6.4), 1: sample(8.0)},
        },
    }
    result = {
        "at": "now",
        "machine": {
            "cpu": "c",
            "cores": 2,
            "kernel": "6",
            "tool_core": 0,
            "server_core": 1,
            "load": [0.1],
            "steal_seconds": 0,
        },
        "nginx": {"version": "1"},
        "versions": {"wrk": "4"},
        "rounds": 2,
        "seconds": 1,
        "warmup": 0,
        "rows": {"get": entry},
    }
    text = draw(result)
    assert "1.60 (1.60 – 1.60)" in text, text
    assert "noise floor: 5.0%" in text, text
    assert "k6             not installed" in text, text
    assert "oha            failed: ended" in text, text
    assert entry["summary"]["punk"]["verdict"] == "differs"
