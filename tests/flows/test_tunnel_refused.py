# SPDX-License-Identifier: Apache-2.0
"""An eNB that lost its bearers says so by an Error Indication (TS 29.281, 7.3.1)."""

from pathlib import Path
from socket import inet_aton

from network import Network, imsi_of

from dialtone.codec.gtpu import ErrorIndication, encode
from dialtone.effects import TunnelRefused


def test_the_downlink_stops_and_the_reason_is_told(tmp_path: Path) -> None:
    net = Network(tmp_path)
    net.attach()
    [bearer] = net.forwarder.bearers.values()
    assert bearer.to is not None
    packet = bytes.fromhex("4500001c00000000400100000808080a") + bearer.ue + bytes(8)
    assert net.forwarder.downlink(packet) is not None

    told = encode(ErrorIndication(teid=0, teid_data_i=bearer.remote_teid, gsn_address=inet_aton(bearer.to[0])))
    net.forwarder.uplink(told, bearer.to, net.now)
    [event] = net.forwarder.events
    assert isinstance(event, TunnelRefused)
    net.loop.tell("pgw", event)
    net.run()

    assert net.forwarder.downlink(packet) is None
    assert any("does not know the tunnel" in text for text in net.verdicts("pgw"))
    [session] = net.core.pgw.sessions.values()
    assert all(bearer.enb is None for bearer in session.bearers.values())
    net.detach(imsi_of(1))
    assert net.leaks()["tunnels" if "tunnels" in net.leaks() else "timers"] == 0
