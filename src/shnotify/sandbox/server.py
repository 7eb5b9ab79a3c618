"""moto's server, strict and silent, on a port of the loopback interface of this machine, within
this process.
"""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from traceback import format_exc
from typing import Any, Self

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)

from shnotify.errors import ShnotifyError
from shnotify.sandbox import pages
from shnotify.sandbox.strict import strict
from shnotify.sandbox.subscriptions import confirm_subscription

HOST = "127.0.0.1"


class Sandbox:
    """An AWS of its own, empty at the start and gone at the end.

    One in a process, because moto's state is global.

    with Sandbox() as sandbox:
        subprocess.run([...], env=sandbox.child_environment())
    """

    def __init__(
        self,
        port: int = 0,
        *,
        region: str = "us-east-1",
        clock: Callable[[], float] = time.time,
        strictly: bool = True,
    ) -> None:
        self._port = port
        self._region = region
        self._clock = clock
        self._strictly = strictly
        self._open = ExitStack()
        self._server: _Server | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._server = server = _Server(_listen(self._port))
            stack.callback(server.stop)
            stack.enter_context(_environment(self.child_environment()))
            _forget_everything()
            stack.callback(_forget_everything)
            if self._strictly:
                stack.enter_context(strict(self._clock))
            server.start()
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def port(self) -> int:
        assert self._server is not None, "the sandbox is not open"  # noqa: S101 a fact about the caller's code
        return self._server.port

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def errors(self) -> list[str]:
        """Tracebacks of requests that broke the embedded AWS itself; empty when all is well."""
        return self._server.errors if self._server else []

    @property
    def environment(self) -> dict[str, str]:
        """What points any AWS tool here, and keeps it from anybody's real configuration."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": HOST,
            "no_proxy": HOST,
        }

    def child_environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """A child's whole environment: the given one (else this process's) without its AWS_
        settings, and ours.
        """
        given = os.environ if base is None else base
        return {k: v for k, v in given.items() if not k.startswith("AWS_")} | self.environment

    def confirm(self, which: str) -> list[str]:
        """Clicks "confirm" for this endpoint (or subscription ARN), as its owner would.

        Returns the confirmed ARNs.
        """
        return confirm_subscription(which)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """moto, and clients in this process, ask the SDK too: a person's profile or proxy must not
    reach it.
    """
    before = dict(os.environ)
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str]) -> None:
    for name in os.environ.keys() - values.keys():
        del os.environ[name]
    os.environ.update(values)


def _forget_everything() -> None:
    BackendDict.reset()
    reset_model_data()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        hint = "choose another with --port, or let a free one be found"
        raise ShnotifyError(
            f"cannot listen on port {port} of {HOST}: {error}", hint=hint
        ) from error
    listener.listen(128)
    return listener


class _Handler(MotoRequestHandler):  # type: ignore[misc]  # moto has no usable types
    """HTTP/1.1 with connections that stay open: werkzeug's own handler closes each one, after
    waiting 10 ms.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        terminated = environ.get("wsgi.input_terminated")
        length = -1 if terminated else int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))
        status, headers, body = self.server.answer(environ)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log(self, *_: object) -> None:
        """Silence."""


class _Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    multithread = True
    multiprocess = False
    ssl_context = None
    _server_version = "sandbox"

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.port: int = listener.getsockname()[1]
        self.errors: list[str] = []
        self._app = DomainDispatcherApplication(create_backend_app)
        self._connections: set[Any] = set()
        self._thread = Thread(target=self.serve_forever, args=(0.02,), name="sandbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the server and the connections that its clients keep open."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # gone by itself

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 the base class's signature
        self.errors.append(format_exc())

    def answer(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body of one request; never raises."""
        page = pages.answer(environ)
        if page is not None:
            return page
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            begun.append((status, headers))

        try:
            chunks: Iterable[bytes] = self._app(environ, start_response)
            body = b"".join(chunks)
            getattr(chunks, "close", lambda: None)()
            return *begun[-1], body
        except Exception:
            self.errors.append(format_exc())
            return (
                "500 Internal Server Error",
                [("Content-Type", "text/plain")],
                b"the sandbox itself failed",
            )
