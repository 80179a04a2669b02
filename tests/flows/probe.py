# SPDX-License-Identifier: Apache-2.0
"""An eNB of the test's own hand: it sends what the test says, and keeps what the MME answers."""

from typing import Any

from network import Network

from dialtone.codec import nas, s1ap
from dialtone.codec.nas.security import split
from dialtone.codec.s1ap.context import ERABSetupItemCtxtSURes
from dialtone.codec.s1ap.values import RRCEstablishmentCause, STmsi
from dialtone.crypto.nas_security import UPLINK
from dialtone.errors import ProtocolError
from dialtone.ids import Ecgi, Guti, Plmn, Tai
from dialtone.sim import attach
from dialtone.sim.enb import Enb, EnbConfig
from dialtone.sim.phone import Phone
from dialtone.sim.s1_setup import introduction

HOME = Plmn("001", "01")
TAI = Tai(HOME, 1)


class Probe:
    """Stands on the MME's S1-MME link under the name `name`; `got` are the decoded messages for it."""

    def __init__(self, net: Network, name: str = "probe", enb_id: int = 0x999, setup: bool = True) -> None:
        self.net, self.name = net, name
        self.got: list[Any] = []
        port = net.loop.ports["mme", "S1-MME"]
        self._below, port.link = port.link, self  # type: ignore[assignment]
        self.enb = Enb(name, EnbConfig(enb_id=enb_id, enb_name=name))
        if setup:
            self.tell(introduction(self.enb))
            self.got.clear()

    def send(self, element: str, peer: str, data: bytes, stream: int) -> None:
        """The link's side."""
        if peer == self.name:
            self.got.append(s1ap.decode(data))
        else:
            self._below.send(element, peer, data, stream)

    def octets(self, data: bytes, seconds: float = 0.1) -> None:
        """Send anything."""
        self.net.loop.deliver("mme", "S1-MME", self.name, data, 1)
        self.net.run(seconds)

    def tell(self, message: Any, seconds: float = 0.1) -> None:
        """Send a message of S1AP."""
        self.octets(s1ap.encode(message), seconds)

    def initial(self, octets: bytes, enb_ue_s1ap_id: int = 1, *, guti: Guti | None = None, tai: Tai = TAI) -> None:
        """A first NAS message; `guti` as the eNB learned it from the radio."""
        self.tell(s1ap.InitialUEMessage(
            enb_ue_s1ap_id=enb_ue_s1ap_id, nas_pdu=octets, tai=tai, eutran_cgi=Ecgi(HOME, 0x99901),
            rrc_establishment_cause=RRCEstablishmentCause.MO_SIGNALLING,
            s_tmsi=STmsi(guti.mme_code, guti.m_tmsi) if guti else None))

    def uplink(self, octets: bytes, enb_ue_s1ap_id: int = 1) -> None:
        """A further NAS message on the connection that the MME answered last."""
        number = next(message.mme_ue_s1ap_id for message in reversed(self.got)
                      if getattr(message, "enb_ue_s1ap_id", None) == enb_ue_s1ap_id)
        self.tell(s1ap.UplinkNASTransport(
            mme_ue_s1ap_id=number, enb_ue_s1ap_id=enb_ue_s1ap_id, nas_pdu=octets, eutran_cgi=Ecgi(HOME, 0x99901),
            tai=TAI))

    def last(self, kind: type[Any]) -> Any:
        """The last message of that class."""
        return next(message for message in reversed(self.got) if isinstance(message, kind))

    def set_up(self) -> None:
        """Answer the last Initial Context Setup Request as an eNB that has all it needs."""
        request = self.last(s1ap.InitialContextSetupRequest)
        self.tell(s1ap.InitialContextSetupResponse(
            mme_ue_s1ap_id=request.mme_ue_s1ap_id, enb_ue_s1ap_id=request.enb_ue_s1ap_id,
            e_rab_setup_list=tuple(
                ERABSetupItemCtxtSURes(item.e_rab_id, bytes((127, 0, 0, 9)), 0x900 + item.e_rab_id)
                for item in request.e_rab_to_be_setup_list)))

    def released(self) -> None:
        """Confirm the last UE Context Release Command."""
        pair = self.last(s1ap.UEContextReleaseCommand).ue_s1ap_ids
        self.tell(s1ap.UEContextReleaseComplete(
            mme_ue_s1ap_id=pair.mme_ue_s1ap_id, enb_ue_s1ap_id=pair.enb_ue_s1ap_id))

    @property
    def names(self) -> list[str]:
        """What came, by name; NAS by its own name where it can be read."""
        return [getattr(self._inside(message), "NAME", message.NAME) for message in self.got]

    @property
    def nas(self) -> Any:
        """The last NAS message that can be read without keys."""
        return next(inner for message in reversed(self.got) if (inner := self._inside(message)) is not None)

    def _inside(self, message: Any) -> Any:
        try:
            return nas.decode(split(message.nas_pdu).message, downlink=True)
        except (AttributeError, ProtocolError):
            return None


def protected(phone: Phone, message: Any) -> bytes:
    """A message under the phone's present keys."""
    return phone.nas.down("mme", message)[1]


def attach_request(phone: Phone) -> bytes:
    """Its Attach Request, with GUTI and MAC where it has them."""
    return protected(phone, attach.request(phone))


def service_request(phone: Phone, *, good: bool = True) -> bytes:
    """Four octets with half a MAC (TS 24.301, 8.2.25)."""
    context = phone.nas.current
    assert context is not None
    assert context.keys is not None
    count, context.uplink = context.uplink, context.uplink + 1
    head = bytes((0xC7, context.ksi << 5 | count & 31))
    mac = context.keys.mac(count, UPLINK, head)[2:]
    return head + (mac if good else bytes(octet ^ 1 for octet in mac))
