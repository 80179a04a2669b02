# SPDX-License-Identifier: Apache-2.0
"""What a phone does in LTE for its IMS client: says that it wants calls there, opens the PDN connection, and tells the
client of connections and bearers that come and go (TS 23.221, 7.2a; TS 24.229, B.2.2.1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from dialtone.codec.nas.ies import VoiceDomainPreference
from dialtone.codec.nas.values import VoiceDomain
from dialtone.effects import Effect, Event, StartTimer, Tell
from dialtone.ids import Tai
from dialtone.sim.phone import Dedicated, Pdn, Phone

DATA_CENTRIC = 4  # UE usage setting (TS 24.008, 10.5.5.28)
IMS_PDN_SECONDS = 1.7
"""From the attach to the request for the IMS connection, as a handset was seen to wait."""


@dataclass(slots=True)
class PdnIsUp(Event):
    """A PDN connection stands: its default bearer, address, and the P-CSCFs that the network named; whether it is for
    emergency calls, and whether the network knows whose phone this is. Of an IPv6 address the `identifier` is known
    here, the rest is advertised by the router."""

    ebi: int
    apn: str
    address: IPv4Address | None
    p_cscf: tuple[IPv4Address | IPv6Address, ...]
    tai: Tai
    emergency: bool = False
    anonymous: bool = False
    identifier: bytes = b""


@dataclass(slots=True)
class BearerIsUp(Event):
    """A dedicated bearer beside the default bearer `linked`."""

    ebi: int
    linked: int
    qci: int


def voice_domain(phone: Phone) -> VoiceDomainPreference | None:
    """What it says of calls when it attaches; a phone that has never heard of VoLTE says nothing."""
    if not phone.handset.ims:
        return None
    domain = VoiceDomain.CS_ONLY if phone.faults.volte_off else VoiceDomain.IMS_PS_PREFERRED
    return VoiceDomainPreference(domain | DATA_CENTRIC * phone.faults.data_centric)


def attached(phone: Phone) -> Iterator[Effect]:
    """The IMS connection comes a moment after the attach, where the network offers calls by IMS."""
    faults = phone.faults
    if phone.handset.ims and not (phone.urgent or faults.volte_off or faults.data_centric or faults.no_ims_pdn):
        if phone.ims_vops:
            yield StartTimer("IMS PDN", phone.imsi, IMS_PDN_SECONDS)
        else:
            yield phone.outcome("IMS PDN", False, "the network offers no calls by IMS (IMS VoPS), so none are tried")


def up(phone: Phone, pdn: Pdn, dedicated: Dedicated | None = None) -> Iterator[Effect]:
    """Tell the IMS clients of a connection, or of a bearer beside it."""
    event: Event = PdnIsUp(pdn.ebi, pdn.apn, pdn.address, pdn.p_cscf, phone.cell.tai, pdn.emergency,
                           not phone.handset.sim or phone.nas.null, pdn.identifier)
    if dedicated is not None:
        event = BearerIsUp(dedicated.ebi, dedicated.linked, dedicated.qos.qci)
    for client in phone.ims_clients:
        yield Tell(client, event)
