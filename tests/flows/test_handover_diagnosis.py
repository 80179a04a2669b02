# SPDX-License-Identifier: Apache-2.0
"""What is said to people of a handover that failed, out of the trace of the very flow."""

from collections.abc import Callable

import pytest
from network import Network, imsi_of
from radio_flows import TWO, hand_over, handover_s1_refused, path_switch_refused

from dialtone.trace.diagnose import Level, diagnose

Make = Callable[..., Network]
IMSI = imsi_of(1)


@pytest.mark.parametrize(("flow", "words"), [
    (handover_s1_refused, ("An S1 handover was refused", "has no room")),
    (path_switch_refused, ("An X2 handover was refused", "has forgotten")),
])
def test_a_failed_handover_is_explained(make_network: Make, flow: Callable[[Network], int],
                                        words: tuple[str, ...]) -> None:
    net = make_network(enbs=TWO)
    flow(net)
    # a path switch that names no phone belongs to none
    found = [verdict for imsi in (IMSI, "") for verdict in diagnose(net.events(), imsi)
             if verdict.rule == "handover-failed"]
    assert found
    assert found[0].level is Level.FAILURE
    assert all(word in found[0].line for word in words), found[0].line


def test_an_unknown_target_is_explained(make_network: Make) -> None:
    net = make_network(enbs=TWO)
    net.attach()
    net.lose_s1(1)
    hand_over(net, 0, 1, s1=True)
    (verdict,) = [verdict for verdict in diagnose(net.events(), IMSI) if verdict.rule == "handover-failed"]
    assert "names a neighbour that is not connected here" in verdict.line


def test_a_handover_that_went_well_later_is_not_complained_of(make_network: Make) -> None:
    net = make_network(enbs=TWO)
    handover_s1_refused(net)
    net.enbs[1].full = False
    hand_over(net, 0, 1, s1=True)
    assert not [verdict for verdict in diagnose(net.events(), IMSI) if verdict.rule == "handover-failed"]
