# SPDX-License-Identifier: Apache-2.0
"""`python -m dialtone.api`: serve the API on a unix socket and on TCP."""

import argparse
import asyncio
import logging
import socket
from pathlib import Path

import uvicorn

from dialtone.api.app import create_app
from dialtone.errors import LocalError

UNREAD_SECONDS = 60.0  # who does not take for so long what it asked for is cut off by the kernel
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1", "dialtone"})


def listen_tcp(where: str, device: str = "") -> socket.socket:
    """A listening socket for `host:port`, with `device` for what comes by that interface only. Raises LocalError
    where that cannot be had."""
    host, _, port = where.rpartition(":")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_SECONDS * 1000))
        if device:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.bind((host.strip("[]"), int(port)))
    except (OSError, ValueError, OverflowError) as error:
        raise LocalError(f"The API cannot listen on {where}: {error}.", remedy="Choose another --listen.") from None
    return sock


def listen_unix(path: Path) -> socket.socket:
    """A listening socket for the group of the file's directory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    path.chmod(0o660)
    return sock


def serve(run: Path, listen: list[str], hosts: frozenset[str] = frozenset(), device: str = "",
          state: Path | None = None, *, power: bool = False, notebooks: str = "") -> None:
    """Serve until SIGTERM or SIGINT; tokens are kept in directory `state`, by default in `run`. See create_app."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    sockets = [listen_unix(run / "api.sock"), *(listen_tcp(where, device) for where in listen)]
    names = hosts | LOCAL_HOSTS | {where.rpartition(":")[0].strip("[]") for where in listen}
    app = create_app(run, names, state or run, power=power, notebooks=notebooks)
    config = uvicorn.Config(app, access_log=False, log_config=None, log_level="warning", timeout_graceful_shutdown=1,
                            lifespan="on")
    try:
        asyncio.run(uvicorn.Server(config).serve(sockets=sockets))
    finally:
        (run / "api.sock").unlink(missing_ok=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="dialtone api", description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("/run/dialtone"), help="directory of the sockets")
    parser.add_argument("--listen", action="append", default=[], metavar="HOST:PORT", help="serve TCP, too")
    parser.add_argument("--device", default="", help="serve TCP to what comes by this interface only")
    parser.add_argument("--host", action="append", default=[], help="another name by which we are called")
    parser.add_argument("--state", type=Path, help="directory of tokens and answers; by default that of the sockets")
    parser.add_argument("--power", action="store_true", help="the teacher may switch this machine off")
    parser.add_argument("--notebooks", default="", metavar="URL", help="where JupyterLab is")
    arguments = parser.parse_args()
    try:
        serve(arguments.run, arguments.listen, frozenset(arguments.host), arguments.device, arguments.state,
              power=arguments.power, notebooks=arguments.notebooks)
    except LocalError as error:
        parser.exit(2, f"{error}\n")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
