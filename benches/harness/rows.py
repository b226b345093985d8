"""The rows of the comparison: what is measured of one tool in one round. Every row ends the tool that it started.

CPU is user + system of the tool's whole process tree between two samples, over the requests that the server counted between them.
"""

import socket
import time
from contextlib import contextmanager

from .process import Died, Tool, cores, loopback_bytes

CONNECT = 40  # seconds that a tool may take until all its users are connected


def wait_for(tool, done, patience, what):
    deadline = time.monotonic() + patience
    while not done():
        tool.check()
        if time.monotonic() > deadline:
            raise Died(f"{what} not reached in {patience} s")
        time.sleep(0.05)


@contextmanager
def underway(argv, bench, log, env, nginx):
    """A tool that has made its first request, and how many requests the server had counted before it."""
    nginx.quiet()
    before = nginx.status().requests
    with Tool(argv, bench.tool_core, log, env) as tool:
        wait_for(tool, lambda: nginx.status().requests > before, CONNECT, "a request")
        yield tool, before


def shares(first, last, core):
    """CPU between two samples over the time between them: the tool's own, what others took of its core, what the host stole from it."""
    span, used = last["at"] - first["at"], last["cpu"] - first["cpu"]
    busy, steal = (last["cores"][core][k] - first["cores"][core][k] for k in ("busy", "steal"))
    return {"cpu": used / span, "steal": steal / span, "foreign": max(0.0, busy - used) / span}


def cpu_per_request(peer, job, nginx, bench):
    """CPU per request of a tool in its stride. Returns a record; raises `Died`."""
    nginx.quiet()
    argv, env = peer.command(job)
    before, refused = nginx.status(), nginx.refused()
    with Tool(argv, bench.tool_core, job.folder / f"{peer.name}.out", env) as tool:
        wait_for(tool, lambda: nginx.status().active >= job.users, CONNECT, f"{job.users} connections")
        time.sleep(bench.warmup)
        first = sample(tool, nginx)
        time.sleep(bench.seconds)
        last = sample(tool, nginx)
        tool.check()
        tool.stop()
        after = nginx.status()
        own = peer.own_count(tool.output())
    requests = last["requests"] - first["requests"]
    if requests < 100:
        raise Died(f"only {requests} requests in {bench.seconds} s")
    used = last["cpu"] - first["cpu"]
    span = last["at"] - first["at"]
    share = shares(first, last, bench.tool_core)
    record = {
        "cpu_us_per_request": used / requests * 1e6,
        "requests_per_second": requests / span,
        "tool_cpu": share["cpu"],
        "server_cpu": (last["server_cpu"] - first["server_cpu"]) / span,
        "loopback_bytes_per_request": (last["loopback"] - first["loopback"]) / requests,
        "connections": [first["active"], last["active"]],
        "reconnects": last["accepted"] - first["accepted"],
        "refused": nginx.refused() - refused,
        "steal": sum(
            last["cores"][c]["steal"] - first["cores"][c]["steal"]
            for c in {bench.tool_core, bench.server_core}
        )
        / span,
        "foreign_cpu": share["foreign"],
        "server_count": after.requests - before.requests,
        "own_count": own,
        "argv": tool.argv,
    }
    record["remarks"] = remarks(record, job.users)
    return record


def sample(tool, nginx):
    status = nginx.status()
    return {
        "at": time.perf_counter(),
        "cpu": tool.cpu(),
        "server_cpu": nginx.cpu(),
        "cores": cores(),
        "loopback": loopback_bytes(),
        "requests": status.requests,
        "active": status.active,
        "accepted": status.accepted,
    }


def remarks(record, users):
    """What stands against a record's being compared."""
    found = []
    if any(n != users for n in record["connections"]):
        found.append(f"{record['connections'][0]}/{record['connections'][1]} connections, not {users}")
    if record["reconnects"]:
        found.append(f"{record['reconnects']} reconnects")
    if record["refused"]:
        found.append(f"{record['refused']} answers were not 200")
    own = record["own_count"]
    if own is not None and abs(own - record["server_count"]) > 2 * users:
        found.append(f"the tool counted {own}, the server {record['server_count']}")
    if record["steal"] > 0.01:
        found.append(f"{record['steal']:.0%} stolen")
    if record["foreign_cpu"] > 0.05:
        found.append(f"{record['foreign_cpu']:.0%} of the core used by others")
    return found


def memory_per_user(peer, job, nginx, bench):
    """Resident bytes per user that made one request and sleeps with its connection open: the slope from one user to `job.users`."""
    resident = {}
    users = job.users
    for count in (1, users):
        nginx.quiet(30)
        job.users = count
        job.__post_init__()
        argv, env = peer.command(job)
        before = nginx.status()
        with Tool(argv, bench.tool_core, job.folder / f"{peer.name}.out", env) as tool:
            wait_for(
                tool,
                lambda: nginx.status().requests - before.requests >= count,
                180,
                f"a request of each of {count} users",
            )
            time.sleep(3)
            tool.check()
            status = nginx.status()
            resident[count] = tool.resident()
    job.users = users
    return {
        "bytes_per_user": (resident[users] - resident[1]) / (users - 1),
        "resident_one": resident[1],
        "resident_all": resident[users],
        "remarks": [] if status.active == users else [f"{status.active} connections, not {users}"],
        "argv": tool.argv,
    }


def flat(peer, job, nginx, bench):
    """Resident bytes after the two numbers of requests in `bench.flat`, in one run."""
    nginx.quiet()
    argv, env = peer.command(job)
    before = nginx.status().requests
    found = []
    with Tool(argv, bench.tool_core, job.folder / f"{peer.name}.out", env) as tool:
        for requests in bench.flat:
            patience = max(60, requests // 5_000)
            wait_for(
                tool, lambda: nginx.status().requests - before >= requests, patience, f"{requests} requests"
            )
            found.append(tool.resident())
    growth = found[-1] - found[0]
    allowed = 1024 * 1024 + 0.02 * found[0]
    return {
        "requests": list(bench.flat),
        "resident": found,
        "growth": growth,
        "allowed": allowed,
        "remarks": [] if growth <= allowed else ["grows"],
        "argv": tool.argv,
    }


def cold_start(peer, job, bench):
    """Seconds from exec to the first accepted connection and to the first byte of the first request, at a server of our own."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(CONNECT)
        job.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        job.__post_init__()
        argv, env = peer.command(job)
        with Tool(argv, bench.tool_core, job.folder / f"{peer.name}.out", env) as tool:
            try:
                sock, _ = listener.accept()
                accepted = time.perf_counter()
                sock.settimeout(5)
                first = sock.recv(1)
                sent = time.perf_counter()
                # A connection that is closed unused was a probe of the tool's (wrk and artillery make one): the next one carries the request.
                while not first:
                    sock.close()
                    sock, _ = listener.accept()
                    sock.settimeout(5)
                    first = sock.recv(1)
                    sent = time.perf_counter()
                sock.close()
            except TimeoutError:
                raise Died("no connection came") from None
    return {
        "accept_seconds": accepted - tool.started,
        "request_seconds": sent - tool.started,
        "remarks": [],
        "argv": tool.argv,
    }
