# SPDX-License-Identifier: Apache-2.0
"""What tests of tracking area updates share."""

from typing import Any

from network import Network, imsi_of

from dialtone.codec import nas
from dialtone.codec.nas.security import SecurityHeaderType, join
from dialtone.crypto.nas_security import UPLINK
from dialtone.sim.states import EmmState

IMSI = imsi_of(1)
PHONE = f"ue-{IMSI}"


def accept_of(net: Network) -> Any:
    return net.nas("Tracking area update accept")


def integrity_protected(net: Network, message: Any) -> bytes:
    """Under the phone's keys, not ciphered: so a first message goes out (TS 24.301, 4.4.5)."""
    context = net.phones[IMSI].nas.current
    assert context is not None
    assert context.keys is not None
    count, context.uplink = context.uplink, context.uplink + 1
    plain = nas.encode(message)
    mac = context.keys.mac(count, UPLINK, bytes((count & 255,)) + plain)
    return join(SecurityHeaderType.INTEGRITY, mac, count & 255, plain)


def is_registered(net: Network, *, connected: bool) -> None:
    ue = net.core.mme.by_imsi[IMSI]
    assert (ue.emm, ue.ecm) == ("EMM-REGISTERED", "ECM-CONNECTED" if connected else "ECM-IDLE")
    phone = net.phones[IMSI]
    assert (phone.emm, phone.connected, phone.guti) == (EmmState.REGISTERED, connected, ue.guti)
    assert ue.new_guti is None
    assert len(net.core.mme.by_m_tmsi) == len(net.core.mme.ues) == len(net.core.mme.by_s11_teid) == 1
