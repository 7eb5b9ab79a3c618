"""A proxy before an AWS endpoint that delays each call, counts calls and measures their depth. It
can also throttle as AWS does, by the published rates.

`proxy.py UPSTREAM_PORT CERTIFICATE`: https on a free port, which it prints. Each new connection
costs two round trips more than on loopback, as it does on the way to AWS.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shnotify.aws.rates import PUBLISHED

TARGETS = {"TrentService": "kms", "AWSEvents": "events"}
REFUSAL = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>"
    b"<Message>Rate exceeded</Message></Error><RequestId>0</RequestId></ErrorResponse>"
)


def operation_of(headers: Any, body: bytes) -> str:
    """Names KMS's, EventBridge's and SNS's operations as IAM does; "" for all others."""
    prefix, _, name = headers.get("X-Amz-Target", "").rpartition(".")
    if prefix:
        return f"{TARGETS.get(prefix, '?')}:{name}"
    action = parse_qs(body.decode(errors="replace")).get("Action", [""])[0]
    return (
        f"sns:{action}" if action and b"/sns/" in headers.get("Authorization", "").encode() else ""
    )


class Throttle:
    """Token buckets: as many calls at once as AWS allows in a second, and so many in each second."""

    def __init__(self) -> None:
        self.on = False
        self.reset()

    def reset(self) -> None:
        self.tokens: dict[str, tuple[float, float]] = {}
        self.passed: dict[str, int] = {}
        self.refused = 0

    def passes(self, operation: str) -> bool:
        rest = f"{operation.partition(':')[0]}:*"
        name = operation if operation in PUBLISHED else rest
        if not self.on or name not in PUBLISHED:
            return True
        rate, now = PUBLISHED[name], time.monotonic()
        left, then = self.tokens.get(name, (rate, now))
        left = min(rate, left + (now - then) * rate)
        self.tokens[name] = (left - 1 if left >= 1 else left, now)
        counted = self.passed if left >= 1 else {}
        counted[name] = counted.get(name, 0) + 1
        self.refused += left < 1
        return left >= 1

    @property
    def allowed(self) -> float:
        """The seconds that the calls which passed take at least, by these rates."""
        return max([0, *(count / PUBLISHED[name] - 1 for name, count in self.passed.items())])


class Counts:
    """calls, connections, and depth: the longest chain of calls one after another."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.latency = 0.0
        self.throttle = Throttle()
        self.reset()

    def reset(self) -> None:
        self.calls = self.connections = self.depth = 0
        self.throttle.reset()

    def begin(self) -> int:
        with self.lock:
            self.calls += 1
            return self.depth + 1

    def end(self, depth: int) -> None:
        with self.lock:
            self.depth = max(self.depth, depth)


COUNTS = Counts()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream_port = 0

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(60)
        self.upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port)
        self.fresh = True

    def do_GET(self) -> None:
        if self.path.startswith("/-/"):
            self._control()
        else:
            self._forward()

    do_POST = do_PUT = do_DELETE = do_GET

    def _control(self) -> None:
        asked = urlsplit(self.path)
        given = parse_qs(asked.query)
        if "latency" in given:
            COUNTS.latency = float(given["latency"][0]) / 1000
        if "throttle" in given:
            COUNTS.throttle.on = given["throttle"][0] != "0"
        found = {name: getattr(COUNTS, name) for name in ("calls", "connections", "depth")}
        found |= {"throttled": COUNTS.throttle.refused, "allowed": COUNTS.throttle.allowed}
        COUNTS.reset()
        self._reply(200, [("Content-Type", "application/json")], json.dumps(found).encode())

    def _forward(self) -> None:
        depth = COUNTS.begin()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fresh:
            self.fresh = False
            COUNTS.connections += 1
            time.sleep(2 * COUNTS.latency)
        time.sleep(COUNTS.latency)
        with COUNTS.lock:
            passes = COUNTS.throttle.passes(operation_of(self.headers, body))
        if not passes:
            self._refuse(depth)
            return
        self.upstream.request(self.command, self.path, body, dict(self.headers.items()))
        reply = self.upstream.getresponse()
        kept = ("connection", "transfer-encoding", "content-length", "server", "date")
        headers = [(k, v) for k, v in reply.getheaders() if k.lower() not in kept]
        content = reply.read()
        COUNTS.end(depth)
        self._reply(reply.status, headers, content)

    def _refuse(self, depth: int) -> None:
        COUNTS.end(depth)
        target = "X-Amz-Target" in self.headers
        kind = "application/x-amz-json-1.1" if target else "text/xml"
        said = (
            b'{"__type": "ThrottlingException", "message": "Rate exceeded"}' if target else REFUSAL
        )
        self._reply(400, [("Content-Type", kind)], said)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    context: ssl.SSLContext

    def finish_request(self, request: Any, address: Any) -> None:
        try:
            super().finish_request(self.context.wrap_socket(request, server_side=True), address)
        except (OSError, http.client.HTTPException):
            return


if __name__ == "__main__":
    Handler.upstream_port = int(sys.argv[1])
    Server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    Server.context.load_cert_chain(sys.argv[2])
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
