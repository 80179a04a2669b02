# SPDX-License-Identifier: Apache-2.0
"""The air interface Uu between a simulated phone and its eNB: events in both directions, no RRC.

Phone to eNB: ConnectionRequest, NasUp, ContextReady, RadioLost, Camped, Arrived.
eNB to phone: Refused, NasDown, ContextSetup, BearersDown, Released, Paged, HandoverOrder.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from dialtone.codec.s1ap.values import STmsi
from dialtone.effects import Event
from dialtone.ids import Guti

if TYPE_CHECKING:
    from dialtone.sim.phone import Cell


class EstablishmentCause(StrEnum):
    """Why a phone wants a connection (TS 36.331, 6.2.2; mapping in TS 24.301, Annex D)."""

    EMERGENCY = "emergency"
    MT_ACCESS = "mt-Access"
    MO_SIGNALLING = "mo-Signalling"
    MO_DATA = "mo-Data"


@dataclass(slots=True)
class ConnectionRequest(Event):
    """RRC connection establishment with the first NAS message. `guti` as far as the phone has one: the eNB
    takes S-TMSI and registered MME from it. `repeat` sends the message more than once (a fault)."""

    phone: str
    nas: bytes
    cause: EstablishmentCause
    guti: Guti | None = None
    repeat: int = 1


@dataclass(slots=True)
class NasUp(Event):
    """A NAS message from the phone on the connection that it has."""

    phone: str
    nas: bytes
    repeat: int = 1


@dataclass(slots=True)
class ContextReady(Event):
    """The phone's answer to ContextSetup: RRC security and bearers are up, or `problem` says why not."""

    phone: str
    problem: str = ""


@dataclass(slots=True)
class RadioLost(Event):
    """The phone is gone without a word (battery taken out, out of coverage)."""

    phone: str


@dataclass(slots=True)
class Camped(Event):
    """The phone listens to this cell from now on."""

    phone: str


class Occasion(NamedTuple):
    """When a phone listens in its paging cycle: radio frame of 10 ms, and subframe (TS 36.304, 7.1)."""

    frame: int
    subframe: int


@dataclass(slots=True)
class Paged(Event):
    """A paging record broadcast at one occasion of the `cycle`: every phone of the cell could hear it, and those
    listen whose occasion it is."""

    enb: str
    occasion: Occasion
    cycle: int
    identity: STmsi | bytes
    circuit_switched: bool = False


@dataclass(slots=True)
class Refused(Event):
    """No connection: the cell has no S1 interface, or the phone is not camped on it."""

    enb: str
    reason: str


@dataclass(slots=True)
class NasDown(Event):
    """A NAS message for the phone."""

    enb: str
    nas: bytes


@dataclass(slots=True)
class ContextSetup(Event):
    """RRC security and the radio bearers, with the NAS messages that came along.

    `k_enb` (32 octets) is what the MME gave to the eNB: the phone compares its own. RRC has no such field;
    there a wrong key shows as a failed integrity check of the RRC security mode (TS 33.401, 7.2.4.5).
    `bearers` are the E-RAB identities.
    """

    enb: str
    k_enb: bytes = field(repr=False)
    bearers: tuple[int, ...] = ()
    nas: tuple[bytes, ...] = ()


@dataclass(slots=True)
class KeyChange(Event):
    """RRC reconfiguration with other keys: `k_enb` is what the MME gave to the eNB (TS 33.401, 7.2.9.2)."""

    enb: str
    k_enb: bytes = field(repr=False)


@dataclass(slots=True)
class HandoverOrder(Event):
    """RRC reconfiguration with mobility control: go to `cell`, as `rrc` of the eNB there says (TS 36.331, 5.3.5.4)."""

    enb: str
    cell: "Cell"
    rrc: bytes


@dataclass(slots=True)
class Arrived(Event):
    """The phone is in the new cell under the name `crnti`. The eNB compares `k_enb` with its own: on the radio another
    key would show as a failed integrity check of this very message (RRCConnectionReconfigurationComplete)."""

    phone: str
    crnti: int
    k_enb: bytes = field(repr=False)


@dataclass(slots=True)
class BearersDown(Event):
    """RRC connection reconfiguration that releases radio bearers, by their E-RAB identities."""

    enb: str
    bearers: tuple[int, ...]


@dataclass(slots=True)
class Released(Event):
    """RRC connection release: the phone is idle."""

    enb: str
    cause: str = ""


def occasion(index: int, cycle: int) -> Occasion:
    """Paging frame and occasion of a phone with UE_ID `index` (IMSI mod 1024) for nB = T, FDD (TS 36.304, 7.1, 7.2).

    With nB = T there is one occasion in every frame: PF = UE_ID mod T, and i_s = 0 of Ns = 1 is subframe 9.
    """
    return Occasion(index % cycle, 9)
