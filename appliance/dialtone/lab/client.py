# SPDX-License-Identifier: Apache-2.0
"""A client of the API with nothing but the standard library: for notebooks and the command line.

Where the API is, in this order: `$DIALTONE_URL`, the file `url` of a running demo or appliance, its unix
socket. A URL is `http://host:port`, with a token `http://:token@host:port`; or `unix:/path/of/api.sock`, which needs
no token.
"""

import http.client
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from dialtone.errors import LocalError

PREFIX = "/api/v1"
SETTLE_SECONDS = 0.4
_CHECKOUT = Path(__file__).parents[3]


class Unreachable(LocalError):
    """No API answers."""


def _run_directories() -> list[Path]:
    return [Path.cwd() / ".state" / "run", _CHECKOUT / ".state" / "run", Path("/run/dialtone")]


def find() -> str:
    """The URL of the API on this machine; "" where none is seen."""
    if url := os.environ.get("DIALTONE_URL"):
        return url
    for run in _run_directories():
        if (run / "url").is_file():
            return (run / "url").read_text().strip()
    for run in _run_directories():
        if (run / "api.sock").is_socket():
            return f"unix:{run / 'api.sock'}"
    return ""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """`Client().get("/status")`; every error is a LocalError with a remedy."""

    def __init__(self, url: str = "", timeout: float = 90.0, token: str = "") -> None:
        found = (url or find()).rstrip("/")
        given = re.fullmatch(r"(https?://)[^/@]*:([^/@]*)@(.*)", found)
        self.url = given[1] + given[3] if given else found  # it is shown to people, and the token is not
        self.token = token or (unquote(given[2]) if given else "")
        self.timeout = timeout
        self.nickname = ""  # in the class, once joined
        if not self.url:
            raise Unreachable("No Dialtone runs here.", remedy="Start one with ./build.sh demo, or set DIALTONE_URL.")

    def login(self, nickname: str) -> str:
        """Join the class by a name of one's own; what is asked from now on is asked by it. Returns the new token."""
        said = self.post("/login", {"token": self.token, "nickname": nickname})
        self.token, self.nickname = said["token"], said["nickname"]
        return self.token

    def get(self, path: str, **query: Any) -> Any:
        """What a path says: JSON taken apart, other contents as octets."""
        return self.request("GET", path, query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Do something; `body` is JSON, or octets as they are."""
        return self.request("POST", path, query, body)

    def request(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """One request. Raises LocalError with the detail and remedy of a problem, Unreachable without an answer."""
        connection, answer = self._open(method, path, query or {}, body)
        try:
            text, kind = answer.read(), answer.headers.get("Content-Type", "")
        except (OSError, http.client.HTTPException):
            raise self._unreachable() from None
        finally:
            connection.close()
        found = json.loads(text) if "json" in kind and text else text
        if answer.status >= 400:
            raise _problem(found, answer.status)
        return found

    def settle(self) -> None:
        """Let the trace catch up with what was done: it reaches the API a moment later."""
        time.sleep(SETTLE_SECONDS)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def stream(self, path: str = "/trace/stream", **query: Any) -> Iterator[tuple[str, Any]]:
        """The server-sent events of a path as (event, data), until the other end closes."""
        connection, answer = self._open("GET", path, query, None)
        kind = ""
        try:
            if answer.status >= 400:
                raise _problem(json.loads(answer.read()), answer.status)
            while line := answer.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    yield kind, json.loads(value)
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def _open(self, method: str, path: str, query: dict[str, Any],
              body: Any) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        words = {name: _word(value) for name, value in query.items() if value not in ("", None)}
        target = PREFIX + quote(path, safe="/:.") + (f"?{urlencode(words)}" if words else "")
        headers = {} if body is None or isinstance(body, bytes) else {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = self._connection()
        try:
            connection.request(method, target, data, headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise self._unreachable() from None

    def _connection(self) -> http.client.HTTPConnection:
        if self.url.startswith("unix:"):
            return _UnixConnection(self.url.removeprefix("unix:"), self.timeout)
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LocalError(f"{self.url!r} is no URL.", remedy="It looks like http://127.0.0.1:8000.")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname, parts.port, timeout=self.timeout)

    def _unreachable(self) -> Unreachable:
        return Unreachable(f"No API answers at {self.url}.", remedy="Is it running? Start it with ./build.sh demo.")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(found: Any, status: int) -> LocalError:
    if isinstance(found, dict):
        return LocalError(str(found.get("detail", found)), remedy=str(found.get("remedy", "")))
    return LocalError(f"The API answered with status {status}.")
