# SPDX-License-Identifier: Apache-2.0
"""The MME as an element: its tables of eNBs and phones, and which message is let in."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from dialtone.codec.diameter import SessionRequest
from dialtone.codec.gtpc import PORT
from dialtone.codec.s1ap import GlobalENBID, OverloadAction, S1apMessage, WriteReplaceWarningRequest
from dialtone.config import Config
from dialtone.dispatch import Handlers, Rx
from dialtone.effects import Effect, Effects
from dialtone.element import Element
from dialtone.errors import ProtocolError
from dialtone.ids import Guti, Tai
from dialtone.mme.context import Enb, Ue
from dialtone.mme.remembered import Memory
from dialtone.mme.states import EMM

if TYPE_CHECKING:
    from dialtone.mme.exchange import Exchange, Key

on = Handlers("mme")

UNPROTECTED = {
    "Attach request", "Identity response", "Authentication response", "Authentication failure",
    "Security mode reject", "Detach request", "Detach accept", "Tracking area update request", "Service request",
    "Extended service request",
}
"""What is taken without a good MAC as long as secure exchange is not established (TS 24.301, 4.4.4.3)."""

NOT_EXPECTED = 98  # message type not compatible with the protocol state


@dataclass(frozen=True, slots=True)
class S6aPeer:
    """Diameter identities of this MME, and the HSS it asks."""

    element: str
    origin_host: str
    origin_realm: str


@dataclass(frozen=True, slots=True)
class S11Peer:
    """Who serves our phones on S11, our own address and restart counter there, and the P-GW for a foreign S-GW."""

    gateway: str
    control: bytes
    recovery: int
    pgw: bytes


class UnknownUe(ProtocolError):
    """UE-associated S1AP with ids that name no phone of that eNB (TS 36.413, 10.6)."""

    def __init__(self, text: str, s1_cause: str, mme_ue_s1ap_id: int, enb_ue_s1ap_id: int | None) -> None:
        super().__init__(text, clause="TS 36.413, 10.6")
        self.s1_cause = s1_cause
        self.mme_ue_s1ap_id = mme_ue_s1ap_id
        self.enb_ue_s1ap_id = enb_ue_s1ap_id


class Mme(Element):
    """Mobility management entity. `random` gives octets, `wall` the local civil time with its zone."""

    name = "mme"
    on = on

    def __init__(self, config: Config, random: Callable[[int], bytes], wall: Callable[[], datetime],
                 recovery: int = 0) -> None:
        self.config = config
        self.random = random
        self.wall = wall
        self.plmn = config.network.plmn
        self.tais = tuple(Tai(self.plmn, tac) for tac in config.network.tac)
        realm = self.plmn.epc_realm
        self.s6a = S6aPeer("hss", f"mme.{realm}", realm)
        gtp = config.gtp
        self.s11 = S11Peer(f"{gtp.sgw}:{PORT}" if gtp.sgw else "pgw", config.control, recovery,
                           IPv4Address(gtp.pgw).packed if gtp.pgw else config.control)
        self.enbs: dict[str, Enb] = {}
        self.ues: dict[int, Ue] = {}
        self.by_s11_teid: dict[int, Ue] = {}
        self.by_imsi: dict[str, Ue] = {}
        self.by_m_tmsi: dict[int, Ue] = {}
        self.memory = Memory()
        self.capacity = 255  # relative MME capacity (TS 36.413, 9.2.3.17)
        self.overload: OverloadAction | None = None  # what eNBs are asked to keep away
        self.warnings: dict[int, WriteReplaceWarningRequest] = {}  # those that stand, by message identifier
        self.warning_code = 0  # message code of the last serial number (TS 23.041, 9.4.1.2.1)
        self.sms_centre = config.diameter.sms or "sms"  # who has texts for our phones, and takes theirs
        self.exchanges: dict[Key, Exchange] = {}  # short messages under way
        self.sought: dict[str, tuple[str, str]] = {}  # IMSI -> peer and number of the centre that sought it in vain
        self.rp_reference = 0  # of the last RP-DATA to a phone
        self._numbers = itertools.count(1)
        # Starts anywhere: a GUTI of before a restart must not name another phone after it.
        self._m_tmsis = itertools.count(int.from_bytes(random(4)))
        self._sessions = itertools.count(int.from_bytes(random(4)))

    # ---- contexts ----------------------------------------------------------------------------------

    def new_ue(self, enb: Enb, now: float) -> Ue:
        """A context for a phone that has just sent its first message."""
        number = next(self._numbers)
        ue = Ue(number, number, enb=enb, since=now)
        self.ues[number] = self.by_s11_teid[number] = enb.ues[number] = ue
        return ue

    def forget(self, ue: Ue) -> None:
        """Nothing is left of a context."""
        self.ues.pop(ue.number, None)
        self.by_s11_teid.pop(ue.s11_teid, None)

    def move_connection(self, ue: Ue, fresh: Ue) -> None:
        """The phone of `ue` is the one that came with the connection of `fresh`, which gets the earlier one of `ue`."""
        ue.exchange_connections(fresh)
        self.ues[ue.number], self.ues[fresh.number] = ue, fresh

    def hand_over(self, ue: Ue, enb: Enb, enb_ue_s1ap_id: int, stream: int) -> None:
        """The connection of the phone goes on at another eNB, under the same MME-UE-S1AP-ID."""
        if ue.enb is not None:
            ue.enb.ues.pop(ue.number, None)
        ue.enb, ue.enb_ue_s1ap_id, ue.stream = enb, enb_ue_s1ap_id, stream
        enb.ues[ue.number] = ue

    def new_guti(self, ue: Ue) -> Guti:
        """A GUTI that no phone has, for `ue`, until the phone confirms it or another one follows.

        The two highest bits of an M-TMSI are ones (TS 23.003, 2.4).
        """
        if ue.new_guti is not None:  # the phone may have it or not (TS 24.301, 5.4.1.6): it stays the same
            return ue.new_guti
        while True:
            m_tmsi = (next(self._m_tmsis) & 0x3FFFFFFF) | 0xC0000000
            if m_tmsi not in self.by_m_tmsi and m_tmsi not in self.memory.by_m_tmsi:
                s1 = self.config.s1
                ue.new_guti = Guti(self.plmn, s1.mme_group_id, s1.mme_code, m_tmsi)
                self.by_m_tmsi[m_tmsi] = ue
                return ue.new_guti

    def confirm_guti(self, ue: Ue) -> None:
        """The phone has taken its new GUTI: the old one names nobody any longer (TS 24.301, 5.4.1.4)."""
        if ue.guti and self.by_m_tmsi.get(ue.guti.m_tmsi) is ue:
            del self.by_m_tmsi[ue.guti.m_tmsi]
        ue.guti, ue.new_guti = ue.new_guti, None

    def enb_of(self, identity: GlobalENBID) -> Enb | None:
        """The eNB with that identity; of twins the one that came last."""
        wanted = (identity.plmn, identity.enb_id.value)
        return next((enb for enb in reversed(self.enbs.values()) if (enb.plmn, enb.enb_id) == wanted), None)

    @property
    def on_their_way(self) -> int:
        """How many phones have come and are not registered yet."""
        return len(self.ues) - len(self.by_imsi)

    @property
    def congested(self) -> bool:
        """Twice as many as are too many, although the eNBs were asked to keep phones away: #22 for who comes now."""
        return 0 < self.config.s1.overload * 2 < self.on_their_way

    def ours(self, guti: Guti) -> bool:
        """Whether this MME gave that GUTI."""
        s1 = self.config.s1
        return guti[:3] == (self.plmn, s1.mme_group_id, s1.mme_code)

    def session_id(self) -> str:
        """A Diameter Session-Id (RFC 6733, 8.8)."""
        number = next(self._sessions)
        return f"{self.s6a.origin_host};{number >> 32};{number & 0xFFFFFFFF}"

    def s6a_header(self) -> dict[str, Any]:
        """What every request to the HSS begins with (TS 29.272, 7.2)."""
        me = self.s6a
        return {"session_id": self.session_id(), "origin_host": me.origin_host, "origin_realm": me.origin_realm,
                "destination_realm": me.origin_realm}

    def s6a_answer(self, request: SessionRequest) -> dict[str, Any]:
        """What every answer to the HSS begins with."""
        return {"session_id": request.session_id, "origin_host": self.s6a.origin_host,
                "origin_realm": self.s6a.origin_realm, "proxy_info": request.proxy_info}

    def identify(self, ue: Ue, imsi: str, rx: Rx) -> None:
        """The phone of `ue` says who it is, or has proven it."""
        if ue.imsi != imsi:
            self.unregister(ue)
        rx.subject = ue.imsi = imsi

    def disconnect(self, ue: Ue) -> None:
        """The S1 connection is gone; its ids may be used again."""
        if ue.enb:
            ue.enb.ues.pop(ue.number, None)
        ue.enb = None
        ue.secured = ue.context_sent = ue.releasing = ue.rekeyed = False
        ue.reporting = None
        ue.returning = ""

    def unregister(self, ue: Ue) -> None:
        """The phone's identities no longer lead to this context."""
        if self.by_imsi.get(ue.imsi) is ue:
            del self.by_imsi[ue.imsi]
        for guti in (ue.guti, ue.new_guti):
            if guti and self.by_m_tmsi.get(guti.m_tmsi) is ue:
                del self.by_m_tmsi[guti.m_tmsi]

    def ue_of(self, peer: str, mme_ue_s1ap_id: int, enb_ue_s1ap_id: int | None, rx: Rx) -> Ue:
        """The phone of an S1AP message; raises UnknownUe where the ids do not fit (TS 36.413, 10.6)."""
        ue = self.ues.get(mme_ue_s1ap_id)
        if ue is None or ue.enb is None or ue.enb.peer != peer:
            text = f"MME-UE-S1AP-ID {mme_ue_s1ap_id} is not known"
            raise UnknownUe(text, "unknown-mme-ue-s1ap-id", mme_ue_s1ap_id, enb_ue_s1ap_id)
        if enb_ue_s1ap_id is not None and ue.enb_ue_s1ap_id != enb_ue_s1ap_id and not ue.unanswered:
            text = f"eNB-UE-S1AP-ID {enb_ue_s1ap_id} does not belong to MME-UE-S1AP-ID {mme_ue_s1ap_id}"
            raise UnknownUe(text, "unknown-pair-ue-s1ap-id", mme_ue_s1ap_id, enb_ue_s1ap_id)
        rx.subject, rx.state = ue.label, ue.emm
        return ue

    # ---- what the loop asks ----------------------------------------------------------------------------

    def gate(self, rx: Rx) -> None:
        """No S1AP but S1 Setup from a stranger; NAS only where the state and the protection allow it."""
        assert rx.message is not None
        name = rx.message.NAME
        if rx.point == "S1-MME" and rx.peer not in self.enbs and name != "S1SetupRequest":
            raise ProtocolError(f"{name} before S1 Setup", clause="TS 36.413, 8.7.3")
        if rx.point != "NAS":
            return
        ue: Ue = rx.peer
        rx.subject, rx.state = ue.label, ue.emm
        if ue.ending:
            raise ProtocolError(f"{name} of a phone that is being released", clause="TS 36.413, 8.3.3")
        if not ue.verified and (ue.secured or name not in UNPROTECTED):
            raise ProtocolError(f"{name} without a good MAC is discarded", clause="TS 24.301, 4.4.4.3")
        if not EMM.allows(ue.emm, name):
            raise ProtocolError(f"{name} is not expected in {ue.emm}", cause=NOT_EXPECTED, clause="TS 24.301, 7.4")

    def complete(self, rx: Rx, effects: list[Effect]) -> list[Effect]:
        """An eNB that wants to hear of IEs that we did not understand hears of them."""
        if isinstance(rx.message, S1apMessage) and rx.message.unknown_ies:
            from dialtone.mme import protocol_errors

            return protocol_errors.notify(rx, rx.message, effects)
        return effects

    def refuse(self, error: ProtocolError, rx: Rx) -> Effects:
        """The protocol's own answer to an error."""
        from dialtone.mme import protocol_errors  # built upon this file

        return protocol_errors.answer(self, error, rx)

    def fault(self, rx: Rx) -> Effects:
        """A defect of ours while serving `rx`: that phone starts again, nobody else notices."""
        from dialtone.mme import protocol_errors

        return protocol_errors.drop_phone(self, rx)
