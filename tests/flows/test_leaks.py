# SPDX-License-Identifier: Apache-2.0
"""The leak check that every flow shares can fail."""

from leaks import held
from network import Network


def test_what_stays_is_seen_in_every_element(net: Network) -> None:
    before = held(net)
    assert "mme.enbs" in before
    net.attach()
    assert {"mme.ues", "mme.enbs.ues", "mme.by_imsi", "mme.by_m_tmsi", "pgw.sessions", "pgw.addresses.pools.used",
            "forwarder.bearers"} <= set(held(net))
    net.detach()
    assert held(net) == before
