"""What the gateway makes the SDK do once: the models it looks for, the TLS context of its clients."""

from __future__ import annotations

import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import DataNotFoundError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shnotify.aws.failures import AwsError
from shnotify.aws.gateway import Aws
from shnotify.aws.sdk import TlsContext, load_only_what_is_used

REPLY = b"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/u</Arn>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *_: Any) -> None: ...


class Quiet(HTTPServer):
    def handle_error(self, *_: Any) -> None: ...


def certificate(folder: Path, name: str, address: str = "127.0.0.1") -> tuple[Path, Path]:
    """(the certificate with its key, the certificate alone)."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    both, alone = folder / f"{name}.key", folder / f"{name}.pem"
    both.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form) + public)
    alone.write_bytes(public)
    return both, alone


@pytest.fixture
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """(the endpoint, the bundle that knows it); its parameter is the address in its certificate."""
    both, alone = certificate(tmp_path, "right", getattr(request, "param", "127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    http = Quiet(("127.0.0.1", 0), Handler)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"https://127.0.0.1:{http.server_port}", alone
    http.shutdown()
    thread.join()
    http.server_close()


def aws(monkeypatch: pytest.MonkeyPatch, endpoint: str, bundle: Path) -> Aws:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    return Aws(region="eu-west-1", allowed=None, timeout=60)


def test_all_clients_trust_the_bundle_that_the_environment_names(
    monkeypatch: pytest.MonkeyPatch, server: tuple[str, Path]
) -> None:
    gateway = aws(monkeypatch, *server)
    assert gateway.scope.account == "123456789012"
    clients: list[Any] = [gateway.sts, gateway.kms, gateway.sns]
    [context] = {client._endpoint.http_session._manager.connection_pool_kw["ssl_context"] for client in clients}
    assert context.verify_mode is ssl.CERT_REQUIRED


def test_a_server_with_another_certificate_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: tuple[str, Path], tmp_path: Path
) -> None:
    _, other = certificate(tmp_path, "other")
    gateway = aws(monkeypatch, server[0], other)
    gateway.prepare("kms", "sts")  # STS's is not the first that is made
    with pytest.raises(AwsError, match=r"SSL|certificate"):
        _ = gateway.scope


@pytest.mark.parametrize("server", ["127.0.0.2"], indirect=True)
def test_a_server_with_another_name_in_its_certificate_is_refused(
    monkeypatch: pytest.MonkeyPatch, server: tuple[str, Path]
) -> None:
    with pytest.raises(AwsError, match=r"SSL|certificate|match"):
        _ = aws(monkeypatch, *server).scope


def test_a_bundle_is_read_once_and_another_one_too(tmp_path: Path) -> None:
    read: list[Any] = []

    class Counting(ssl.SSLContext):
        def load_verify_locations(self, *where: Any, **named: Any) -> None:
            read.append(named or where)

    def client() -> Any:
        keywords = {"ssl_context": Counting(ssl.PROTOCOL_TLS_CLIENT)}
        manager = SimpleNamespace(connection_pool_kw=keywords)
        return SimpleNamespace(_endpoint=SimpleNamespace(http_session=SimpleNamespace(_manager=manager)))

    shared, clients = TlsContext(), [client(), client()]
    for one in clients:
        shared.share(one)
        context = one._endpoint.http_session._manager.connection_pool_kw["ssl_context"]
        context.load_verify_locations("a.pem", None, None)
        context.load_verify_locations("b.pem", None, None)
    assert read == [("a.pem", None, None), ("b.pem", None, None)]


def test_a_client_of_another_shape_stays_as_it_is() -> None:
    TlsContext().share(SimpleNamespace())
    odd = SimpleNamespace(connection_pool_kw={"ssl_context": None})
    TlsContext().share(SimpleNamespace(_endpoint=SimpleNamespace(http_session=SimpleNamespace(_manager=odd))))
    assert odd.connection_pool_kw == {"ssl_context": None}


def test_every_service_can_still_be_found_and_none_that_is_not_there() -> None:
    core = botocore.session.Session()
    load_only_what_is_used(core)
    assert {"kms", "sso", "sso-oidc", "signin", "sts"} <= set(core.get_available_services())
    assert core.get_service_model("sso-oidc").service_name == "sso-oidc"
    with pytest.raises(DataNotFoundError):
        core.get_service_model("nonsense")


@pytest.mark.parametrize("name", ["sts", "events", "securityhub"])
def test_a_model_is_the_one_that_the_sdk_reads_in_the_same_order(name: str) -> None:
    ours, theirs = botocore.session.Session(), botocore.session.Session()
    load_only_what_is_used(ours)
    for kind in ("service-2", "paginators-1"):
        read = [core.get_component("data_loader").load_service_model(name, kind) for core in (ours, theirs)]
        assert json.dumps(read[0]) == json.dumps(read[1])


def test_a_model_in_a_folder_of_the_users_own_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "own" / "2020-01-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"metadata": {"serviceId": "Own"}}', encoding="utf-8")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    core = botocore.session.Session()
    load_only_what_is_used(core)
    assert core.get_service_model("own").metadata["serviceId"] == "Own"
