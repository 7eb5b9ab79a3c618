"""What the SDK does more often than one short command needs, done once.

Each of these falls back to the SDK's own way when a part of it is not found.
"""

from __future__ import annotations

import gzip
import json
import os
import ssl
import threading
from collections.abc import Iterator
from typing import Any, cast

import botocore.session
from botocore.loaders import JSONFileLoader, Loader, create_loader


class _Known(list[str]):
    """Stands for the list of all services, which is read only when somebody walks through it."""

    def __init__(self, loader: Loader, kind: str) -> None:
        super().__init__()
        self._loader, self._kind = loader, kind

    def __contains__(self, name: object) -> bool:
        return True  # a service that is not there has no model either: DataNotFoundError

    def __iter__(self) -> Iterator[str]:
        return iter(Loader.list_available_services(self._loader, self._kind))


class _Files(JSONFileLoader):
    """Reads models into plain dictionaries: they keep their order as well, in half of the time."""

    def load_file(self, file_path: str) -> dict[str, Any] | None:
        for suffix, opened in ((".json", open), (".json.gz", gzip.open)):
            if os.path.isfile(file_path + suffix):
                with opened(file_path + suffix, "rb") as file:
                    return cast("dict[str, Any]", json.loads(file.read()))
        return None


class _Loader(Loader):
    """Loads a service's model without looking into the folders of the 400 others before."""

    FILE_LOADER_CLASS = _Files

    def list_available_services(self, type_name: str) -> list[str]:
        return _Known(self, type_name)


def load_only_what_is_used(core: botocore.session.Session) -> None:
    """Makes a session find the models of services by name."""
    paths = create_loader(core.get_config_variable("data_path")).search_paths
    loader = _Loader(extra_search_paths=[*paths], include_default_search_paths=False)
    core.register_component("data_loader", loader)


class TlsContext:
    """Shares one TLS context among clients: urllib3 reads the CA bundle for each new connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def share(self, client: Any) -> None:
        """Gives the client the context of the first one."""
        try:
            settings = client._endpoint.http_session._manager.connection_pool_kw
            own = settings["ssl_context"]
        except (AttributeError, LookupError):
            return
        if not isinstance(own, ssl.SSLContext):
            return
        if self._context is None:
            self._context = self._reading_once(own)
        settings["ssl_context"] = self._context

    def _reading_once(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Makes the context read each bundle of certificates once."""
        read, known = context.load_verify_locations, set[Any]()

        def load(*where: Any, **named: Any) -> None:
            asked = (where, tuple(sorted(named.items())))
            with self._lock:
                if asked not in known:
                    read(*where, **named)
                    known.add(asked)

        cast("Any", context).load_verify_locations = load
        return context
