# SPDX-License-Identifier: Apache-2.0
"""GTP-C tunnels (TS 29.274, 4.1): on S11 one a phone with all its PDN connections, on S5/S8 one a PDN connection."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from dialtone.codec.gtpc import PORT
from dialtone.codec.gtpc.values import Fteid
from dialtone.dispatch import Rx

if TYPE_CHECKING:
    from dialtone.pgw.element import Session

S11, S5_S8 = "S11", "S5/S8"
# F-TEID interface types (TS 29.274, 8.22)
S1U_SGW, S5U_PGW, S5C_SGW, S5C_PGW, S11_MME, S11_SGW = 1, 5, 6, 7, 10, 11


@dataclass(slots=True)
class Tunnel:
    """Who controls some sessions: `peer` is an element of ours or address and port, `teid` ours, `peer_teid` theirs."""

    point: str
    peer: str
    imsi: str
    teid: int
    peer_teid: int
    sessions: "dict[int, Session]" = field(default_factory=dict)  # by default bearer
    relays: list[int] = field(default_factory=list)  # TEIDs lent to a handover
    notified: bool = False  # the MME was told of data for the idle phone
    suspended: bool = False  # the phone is on another radio: nothing is kept for it


def point_of(sender: Fteid) -> str:
    """Whether an MME asks or an S-GW."""
    return S5_S8 if sender.interface_type == S5C_SGW else S11


def control_peer(rx: Rx, end: Fteid) -> str:
    """Where requests to the sender of `rx` go: to the address of its F-TEID (TS 29.274, 4.2), unless it lives here.

    Answers need none of this: they go where the request came from.
    """
    if ":" not in rx.peer or not end.ipv4:
        return str(rx.peer)
    return f"{IPv4Address(end.ipv4)}:{PORT}"
