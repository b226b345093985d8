"""`punk target` as the server: it freezes when it is told to, and its own log is the truth that tools are held against."""

import http.client
import json
import re
import time
from urllib.parse import urlsplit

from .process import Died, Tool


class Target:
    """A context: inside it the target answers on `url`. `flags` are those of `punk target`."""

    def __init__(self, punk, core, log, *flags):
        self.tool = Tool([punk, "target", *flags], core, log)
        self.url = None

    def __enter__(self):
        self.tool.__enter__()
        deadline = time.monotonic() + 10
        while not (found := re.search("serving (http\\S+)", self.tool.output())):
            try:
                self.tool.check()
            except Died as error:
                raise SystemExit(f"the target did not start: {error}")
            if time.monotonic() > deadline:
                self.tool.stop(0)
                raise SystemExit("the target did not start in 10 s")
            time.sleep(0.02)
        self.url = found[1]
        return self

    def __exit__(self, *_):
        self.tool.stop(0)

    def ask(self, path):
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.request("GET", f"/_target/{path}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stats(self):
        return self.ask("stats")

    def log(self):
        """The last requests by arrival, in seconds: `(arrived, held, outcome)`."""
        return [(e["at_us"] / 1e6, e["held_us"] / 1e6, e["outcome"]) for e in self.ask("log")]
