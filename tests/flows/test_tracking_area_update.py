# SPDX-License-Identifier: Apache-2.0
"""Tracking area update (TS 24.301, 5.5.3)."""

from typing import Any

from network import NOTHING, Network, imsi_of
from probe import protected

from dialtone.codec import nas


def test_an_update_of_a_connected_phone(net: Network) -> None:
    phone = net.attach()
    guti = net.phones[imsi_of(1)].guti
    assert guti is not None
    net.nas_from(phone, protected(phone, nas.TrackingAreaUpdateRequest(
        eps_update_type=3, nas_key_set_identifier=0, old_guti=guti)))
    reject: Any = net.nas("Tracking area update reject")
    assert reject.emm_cause == 10
    assert net.leaks() == NOTHING
