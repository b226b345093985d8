"""nginx as the server of the comparison: started on its own core and ports, and asked for its own count of requests and connections.

The counters are those of `stub_status`; our own questions are subtracted.
"""

import http.client
import json
import re
import resource
import shutil
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .process import Died, Tool, cpu_seconds

BODY = ("0123456789" * 13)[:130]
OPERATIONS = 500


@dataclass
class Status:
    active: int
    accepted: int
    requests: int


class Nginx:
    """A context: inside it the server answers on `url(...)`."""

    def __init__(self, folder, core, connections):
        binary = find()
        if not binary:
            raise SystemExit("nginx is not installed (Debian: nginx-light)")
        self.binary, self.core, self.folder = binary, core, Path(folder)
        self.connections = connections
        self.ports = dict(zip(("http", "https", "http2", "status"), free_ports(4)))
        self.asked = 0

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        items = {
            "items": [
                {"id": i, "name": f"item {i:03}", "price": 100 + i, "tags": ["a", "b"]} for i in range(500)
            ]
        }
        while len(json.dumps(items)) > 20_000:
            items["items"].pop()
        (self.folder / "items.json").write_text(json.dumps(items))
        certificate(self.folder)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        values = {
            "dir": self.folder,
            "body": BODY,
            "connections": self.connections,
            "files": min(hard, 2 * self.connections),
            **self.ports,
        }
        self.config = (Path(__file__).parent.parent / "nginx.conf").read_text()
        self.config = re.sub("@(\\w+)@", lambda m: str(values[m[1]]), self.config)
        path = self.folder / "nginx.conf"
        path.write_text(self.config)
        argv = [self.binary, "-p", self.folder, "-c", path, "-e", self.folder / "error.log"]
        self.tool = Tool(argv, self.core, self.folder / "nginx.out").__enter__()
        self.connection = None
        deadline = time.monotonic() + 5
        while True:
            try:
                self.tool.check()
                self.status()
                return self
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > deadline:
                    self.tool.stop(0)
                    raise SystemExit(f"nginx does not answer: {error}")
                time.sleep(0.05)
            except Died as error:
                raise SystemExit(
                    f"nginx did not start: {error} {(self.folder / 'error.log').read_text()[-500:]}"
                )

    def __exit__(self, *_):
        self.tool.stop(0)

    def url(self, scheme="http", path="/"):
        return f"{'http' if scheme == 'http' else 'https'}://127.0.0.1:{self.ports[scheme]}{path}"

    def status(self):
        """The counters without our own connection and questions."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.ports["status"], timeout=5)
        try:
            self.connection.request("GET", "/status")
            text = self.connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            self.connection = None
            raise
        self.asked += 1
        numbers = [int(n) for n in re.findall("\\d+", text)]
        if len(numbers) < 4 or "requests" not in text:
            raise SystemExit("this nginx has no stub_status: its counters are what the comparison rests on")
        return Status(numbers[0] - 1, numbers[1] - 1, numbers[3] - self.asked)

    def cpu(self):
        return cpu_seconds(self.tool.process.pid)

    def refused(self):
        """How many requests were not answered by 200 since the start."""
        log = self.folder / "refused.log"
        return log.read_bytes().count(b"\n") if log.exists() else 0

    def quiet(self, patience=10):
        """Waits until nobody is connected any more, so that one tool's connections are not taken for the next one's."""
        deadline = time.monotonic() + patience
        while self.status().active > 0 and time.monotonic() < deadline:
            time.sleep(0.05)

    def answer_bytes(self, scheme, path):
        """The bytes of one answer, head and body, as they are inside TLS; HTTP/1.1."""
        sock = socket.create_connection(
            ("127.0.0.1", self.ports["https" if scheme == "http2" else scheme]), timeout=5
        )
        if scheme != "http":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            sock = context.wrap_socket(sock)
        with sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            total = 0
            while part := sock.recv(65536):
                total += len(part)
        return total

    def version(self):
        done = subprocess.run([self.binary, "-v"], capture_output=True, text=True, check=False)
        return done.stderr.strip().rpartition("/")[2]


def find():
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def certificate(folder):
    """A fresh self-signed P-256 certificate: the tools do not verify it, all of them alike."""
    if not shutil.which("openssl"):
        raise SystemExit("openssl (the program) is not installed: the server needs a certificate")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            folder / "key.pem",
            "-out",
            folder / "cert.pem",
        ],
        check=True,
        capture_output=True,
    )
