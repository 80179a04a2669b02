# SPDX-License-Identifier: Apache-2.0
"""The names of SIP peers behind sockets: transport, their address and port, our port."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dialtone.codec.sip import PORT, SipUri, Via
from dialtone.codec.sip.grammar import Known
from dialtone.errors import LocalError

_FLOW = re.compile(r"(udp|tcp):(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})/(\d{1,5})", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Flow:
    """`udp:10.46.0.2:6301/6100`: the peer's address and port, then our port. A TCP connection likewise; with port 0 of
    ours for any that connects."""

    transport: str
    host: str
    port: int
    local_port: int = PORT

    @staticmethod
    def parse(text: str) -> "Flow":
        """The reverse of `str()`. Raises LocalError for what names no flow."""
        flow = _FLOWS[text]
        if flow is None:
            raise LocalError(f"{text!r} names no flow.", remedy="Write udp:10.46.0.2:5060/5060.")
        return flow

    @staticmethod
    def find(text: str) -> "Flow | None":
        """The flow of this name; None for the name of an element of this process."""
        return _FLOWS[text]

    @property
    def reliable(self) -> bool:
        """Whether the transport repeats what is lost (RFC 3261, 17)."""
        return self.transport == "tcp"

    def over(self, transport: str) -> "Flow":
        """The same ends over another transport."""
        return replace(self, transport=transport)

    def __str__(self) -> str:
        return f"{self.transport}:{bracketed(self.host)}:{self.port}/{self.local_port}"


def _flow(text: str) -> Flow | None:
    match = _FLOW.fullmatch(text)
    if match is None or int(match[4]) > 65_535 or int(match[5]) > 65_535:
        return None
    try:
        host = str(ipaddress.ip_address(match[2] or match[3]))
    except ValueError:
        return None
    return Flow(match[1].lower(), host, int(match[4]), int(match[5]))


_FLOWS = Known(_flow)


def flow_to(uri: SipUri, hosts: Mapping[str, str], local_port: int = PORT) -> Flow | None:
    """The way to the host of a URI: to its address, or to what `hosts` says of its name. None for another name: names
    are not looked up in DNS (RFC 3263, 4)."""
    address = hosts.get(uri.host) or f"{uri.host}:{uri.port or PORT}"
    return Flow.find(f"{(uri.params.get('transport') or 'udp').lower()}:{address}/{local_port}")


def bracketed(host: str) -> str:
    """An IP address as it stands in a URI or a Via: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def answer_to(peer: str, via: Via) -> str:
    """Where an answer goes (RFC 3261, 18.2.2; RFC 3581, 4): over TCP to the connection, over UDP to where the request
    came from if its Via has an rport, otherwise to the port that the Via names."""
    flow = Flow.find(peer)
    if flow is None or flow.reliable or "rport" in via.params:
        return peer
    return str(replace(flow, port=via.port or PORT))


def received(peer: str, via: Via) -> Via:
    """The topmost Via of a request from `peer`, with the address, and the port if asked for, that it came from
    (RFC 3261, 18.2.1; RFC 3581, 4)."""
    flow = Flow.find(peer)
    rport = "rport" in via.params
    if flow is None or (not rport and via.host == flow.host and "received" not in via.params):
        return via
    params = {name: value for name, value in via.params.items() if name != "received"}
    if rport:
        params["rport"] = str(flow.port)
    if rport or via.host.strip("[]").lower() != flow.host:
        params["received"] = flow.host
    return replace(via, params=params)
