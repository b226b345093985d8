"""A crowd at the monitor's streams: clients that read and answer pings, clients that never read, and a scraper. One thread, loopback only.

It knows as much of WebSocket as a client needs: a handshake, frames of a server, and the masked answer to a ping.
"""

import base64
import http.client
import os
import re
import selectors
import socket
import struct
import threading
import time

SEQUENCE = re.compile(rb'"sequence":(\d+)')
PER_SECOND = 200  # handshakes: the monitor answers a bounded number of requests per second


class Reader:
    """One client that takes everything at once."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, bytearray()
        self.messages = self.gaps = 0
        self.sequence = None
        self.closed = None

    def take(self):
        """What has come; False at the end."""
        try:
            part = self.sock.recv(262144)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not part:
            return False
        self.buffer += part
        while frame := self.frame():
            opcode, payload = frame
            if opcode == 1:
                self.messages += 1
                found = SEQUENCE.search(payload, 0, 200)
                number = int(found[1]) if found else None
                if self.sequence is not None and number != self.sequence + 1:
                    self.gaps += 1
                self.sequence = number
            elif opcode == 9:
                self.send(0x8A, payload)
            elif opcode == 8:
                self.closed = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                self.send(0x88, payload[:2])
        return True

    def frame(self):
        head = self.buffer
        if len(head) < 2:
            return None
        length, start = head[1] & 0x7F, 2
        if length == 126:
            if len(head) < 4:
                return None
            length, start = struct.unpack_from(">H", head, 2)[0], 4
        elif length == 127:
            if len(head) < 10:
                return None
            length, start = struct.unpack_from(">Q", head, 2)[0], 10
        if len(head) < start + length:
            return None
        opcode, payload = head[0] & 0x0F, bytes(head[start : start + length])
        del head[: start + length]
        return opcode, payload

    def send(self, first, payload):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        try:
            self.sock.send(bytes([first, 0x80 | len(payload)]) + mask + masked)
        except OSError:
            pass


def handshake(port, path):
    """A socket that is a stream now, and what was read of it already."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        part = sock.recv(1024)
        if not part:
            break
        head += part
    head, _, rest = head.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        sock.close()
        raise OSError(head.split(b"\r\n")[0].decode(errors="replace") or "closed")
    return sock, rest


class Crowd:
    """So many readers, so many who never read, and so many scrapes per second, from `start` to `stop`."""

    def __init__(self, port, path, readers=0, silent=0, scrapes=0):
        self.port, self.path, self.wanted, self.silent_wanted = port, path, readers, silent
        self.scrapes_wanted = scrapes
        self.readers, self.silent, self.refused = [], [], []
        self.scrapes = []
        self.ended = 0
        self.over = threading.Event()
        self.selector = selectors.DefaultSelector()
        self.threads = []

    def start(self):
        """Opens everything; the readers are read from then on."""
        self.threads.append(threading.Thread(target=self.read, daemon=True))
        if self.scrapes_wanted:
            self.threads.append(threading.Thread(target=self.scrape, daemon=True))
        for thread in self.threads:
            thread.start()
        began = time.monotonic()
        for at in range(self.wanted + self.silent_wanted):
            time.sleep(max(0.0, began + at / PER_SECOND - time.monotonic()))
            try:
                sock, rest = handshake(self.port, self.path)
            except OSError as error:
                self.refused.append(str(error))
                continue
            if at < self.wanted:
                sock.setblocking(False)
                reader = Reader(sock)
                reader.buffer += rest
                self.readers.append(reader)
                self.selector.register(sock, selectors.EVENT_READ, reader)
            else:
                self.silent.append(sock)

    def read(self):
        while not self.over.is_set():
            for key, _ in self.selector.select(0.2):
                if not key.data.take():
                    self.selector.unregister(key.fileobj)
                    key.fileobj.close()
                    self.ended += 1

    def scrape(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        due = time.monotonic()
        while not self.over.is_set():
            began = time.perf_counter()
            try:
                connection.request("GET", "/metrics")
                size = len(connection.getresponse().read())
                self.scrapes.append((time.perf_counter() - began, size))
            except (OSError, http.client.HTTPException):
                connection.close()
            due += 1 / self.scrapes_wanted
            self.over.wait(max(0.0, due - time.monotonic()))
        connection.close()

    def stop(self):
        """Closes everything, and says what came of it."""
        self.over.set()
        for thread in self.threads:
            thread.join(5)
        told = {
            "readers": len(self.readers),
            "silent": len(self.silent),
            "refused": self.refused[:5],
            "refused_count": len(self.refused),
            "messages": sum(reader.messages for reader in self.readers),
            "gaps": sum(reader.gaps for reader in self.readers),
            "readers_ended": self.ended,
            "close_codes": sorted({reader.closed for reader in self.readers if reader.closed}),
            "scrapes": len(self.scrapes),
            "scrape_bytes": max((size for _, size in self.scrapes), default=0),
            "scrape_ms_max": 1000 * max((took for took, _ in self.scrapes), default=0),
        }
        for reader in self.readers:
            reader.sock.close()
        for sock in self.silent:
            sock.close()
        return told
