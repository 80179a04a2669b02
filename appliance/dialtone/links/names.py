# SPDX-License-Identifier: Apache-2.0
"""The names of peers behind sockets: `10.0.1.20:36412`, `[2001:db8::1]:36412`."""

import errno
import ipaddress
import socket
from typing import Any

from dialtone.errors import LocalError


def peer_name(address: tuple[Any, ...]) -> str:
    """The name of the socket address `address` (IPv4 or IPv6 form)."""
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def peer_address(name: str) -> tuple[str, int]:
    """The reverse of `peer_name`; raises LocalError for what is no such name."""
    host, _, port = name.rpartition(":")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError:
        raise LocalError(f"{name!r} is no address and port.", remedy="Write 10.0.1.133:36412.") from None


def family_of(host: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6. Refuses wildcard addresses: a listener belongs to one interface, and SCTP would
    offer every other address of the machine in its INIT ACK."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise LocalError(f"{host!r} is no IP address.", remedy="Names are not looked up here.") from None
    if address.is_unspecified:
        raise LocalError(f"Will not listen on {host}.", remedy="Give the address of one interface.")
    return socket.AF_INET6 if address.version == 6 else socket.AF_INET


def refused(what: str, host: str, port: int, error: OSError) -> LocalError:
    """What a failed bind or listen means, with the remedy."""
    remedies = {
        "EADDRNOTAVAIL": f"Give {host} to an interface of this machine, or set the configured address.",
        "EADDRINUSE": "Another program listens there: stop it (`ss -lnp`), or change the port.",
        "EACCES": "Ports below 1024 need root or CAP_NET_BIND_SERVICE.",
        "EPROTONOSUPPORT": "This kernel has no SCTP: `modprobe sctp`, or see `dialtone doctor`.",
        "ENOSYS": "SCTP lacks the HMAC of its cookies: `modprobe -a hmac sha1_generic md5`.",
    }
    remedy = remedies.get(errno.errorcode.get(error.errno or 0, ""), "See `dialtone doctor`.")
    return LocalError(f"Cannot open {what} on {host} port {port}: {error.strerror}.", remedy=remedy)
