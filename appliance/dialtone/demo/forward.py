# SPDX-License-Identifier: Apache-2.0
"""A TCP port of the host that leads to the same port in the lab: what a browser needs to reach the API."""

import contextlib
import socket
import threading


class Forward:
    """Listens at `listen` from port `port` on, and joins each connection to `target`:`port`."""

    def __init__(self, listen: str, port: int, target: str) -> None:
        from dialtone.demo.jupyter import free_port

        self.target = (target, port)
        self.port = free_port(listen, port)
        self._server = socket.create_server((listen, self.port))

    def __enter__(self) -> "Forward":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(self.target, 10) as far:
            far.settimeout(None)
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
