# SPDX-License-Identifier: Apache-2.0
"""The path to an eNB fails on S1-U (TS 29.281, 7.2.1; TS 23.007, 20.3): its phones are called for the next packet."""

from network import Network, imsi_of

from dialtone.codec import gtpu
from dialtone.datapath.supervision import INTERVAL


def tick(net: Network, seconds: int, *, answering: bool) -> None:
    """Let time pass on S1-U. The eNB answers echo requests, or has fallen silent."""
    for _ in range(seconds):
        for data, peer, _ in net.forwarder.tick(net.now):
            message = gtpu.decode(data)
            if answering and isinstance(message, gtpu.EchoRequest):
                net.forwarder.uplink(gtpu.encode(gtpu.EchoResponse(sequence=message.sequence)), peer, net.now)
        for event in net.forwarder.events:
            net.loop.tell("pgw", event)
        net.forwarder.events.clear()
        net.run(1)


def test_the_next_packet_calls_a_phone_whose_enb_was_lost(net: Network) -> None:
    net.attach()
    (bearer,) = net.forwarder.bearers.values()
    packet = bytes.fromhex("4500001c00000000401100000808080a") + bearer.ue + bytes(8)
    tick(net, 5, answering=True)
    assert bearer.to is not None
    tick(net, int(INTERVAL) + 30, answering=False)
    assert bearer.to is None
    assert "answers no echo on S1-U any more: its 1 bearers" in net.verdicts("pgw")[-1]
    assert not net.sent("Downlink Data Notification", "pgw")  # nobody is disturbed for it
    before = len(net.delivered)
    net.downlink(packet, 10)
    assert len(net.sent("Downlink Data Notification", "pgw")) == 1
    assert net.sent("UEContextReleaseCommand")  # the MME took the phone for connected
    assert net.phones[imsi_of(1)].connected
    assert [data for data, _, _ in net.delivered[before:]] == [gtpu.gpdu(bearer.remote_teid, packet)]
