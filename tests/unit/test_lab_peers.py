# SPDX-License-Identifier: Apache-2.0
"""The two Diameter nodes of the lesson about peers do what RFC 6733 and RFC 3539 say."""

from dialtone.lab.peers import HSS, MME, Wire

CER, CEA = "Capabilities-Exchange Request", "Capabilities-Exchange Answer"
DWR = "Device-Watchdog Request"


def names(wire: Wire, since: float = 0.0) -> list[str]:
    return [row["message"] for row in wire.trace(since)]


def states(wire: Wire) -> list[str]:
    return [row["state"] for row in wire.states()]


def test_peers_meet_and_keep_an_eye_on_each_other() -> None:
    wire = Wire()
    assert names(wire) == [CER, CEA]
    assert states(wire) == ["I-Open", "R-Open"]
    wire.wait(100)
    assert names(wire).count(DWR) >= 2
    assert [(row["from"], row["to"]) for row in wire.trace()[:2]] == [(MME, HSS), (HSS, MME)]


def test_an_unplugged_wire_is_noticed_and_comes_back() -> None:
    wire = Wire()
    wire.plugged = False
    wire.wait(100)
    assert states(wire) == ["Closed", "Closed"]
    wire.plugged, back = True, wire.now
    wire.wait(60)
    assert names(wire, back)[:2] == [CER, CEA]
    assert states(wire) == ["I-Open", "R-Open"]


def test_one_takes_leave() -> None:
    wire = Wire()
    left = wire.now
    wire.disconnect()
    assert names(wire, left) == ["Disconnect-Peer Request", "Disconnect-Peer Answer"]
    assert states(wire) == ["Closed", "Closed"]
