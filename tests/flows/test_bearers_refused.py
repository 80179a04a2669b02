# SPDX-License-Identifier: Apache-2.0
"""Dedicated bearers that phone, eNB or MME refuse (TS 24.301, 6.4.2.4, 6.4.3.4; TS 36.413, 8.2.1.3)."""

from dataclasses import replace
from typing import Any

import pytest
from network import Network
from test_bearers import CALL, IMSI, UE, VIDEO, Make, ask, create, installed, same_view

from dialtone.codec import gtpc
from dialtone.codec.gtpc.values import BearerQos
from dialtone.codec.ipfilter import FilterRule
from dialtone.pgw.policy import InstallRules
from dialtone.pgw.rule import Rule
from dialtone.sim.enb import EnbConfig


def test_an_enb_without_the_class(make_network: Make) -> None:
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset((1,))),))
    installed(net, CALL, Rule("video", 2, (VIDEO,), mbr=(512, 512), gbr=(384, 384)))
    answer: Any = gtpc.decode(net.sent("Create Bearer Response")[-1].data)
    assert answer.cause.value == 17
    assert sorted(context.cause.value for context in answer.bearer_contexts) == [16, 94]
    assert "the eNB refused: radioNetwork: not-supported-qci-value (37)" in " ".join(net.verdicts())
    assert "failed: call: no bearer beside internet: the eNB refuses" in " ".join(net.verdicts("pgw"))
    same_view(net, 7)


def test_a_phone_that_refuses(net: Network) -> None:
    """A class with a guaranteed rate of nothing: ESM cause #37; the radio bearer goes again."""
    installed(net, replace(CALL, gbr=(0, 0), mbr=(0, 0)))
    refused: Any = net.nas("Activate dedicated EPS bearer context reject")
    assert refused.esm_cause == 37
    answer: Any = gtpc.decode(net.sent("Create Bearer Response")[-1].data)
    assert answer.bearer_contexts[0].cause.value == 88
    assert len(net.sent("E-RABReleaseCommand")) == 1
    assert "the phone refuses" in net.verdicts("pgw")[-1]
    same_view(net)


@pytest.mark.parametrize(("fields", "cause", "gtp"), [
    ({"tft": b"\x21\x31\x10\x02\x99\x11"}, 45, 77),
    ({"tft": b"\x21\x31\x10\x05\x41\x00\x02\x00\x01"}, 44, 76),
    ({"tft": b"\x40"}, 41, 74),
    ({"tft": b"\x20"}, 42, 75),
], ids=["#45", "#44", "#41", "#42"])
def test_templates_that_a_phone_refuses(net: Network, fields: dict[str, Any], cause: int, gtp: int) -> None:
    """Octets of a foreign gateway reach the phone as they are; its cause reaches the gateway."""
    net.attach()
    answer = ask(net, create(net, **fields))
    refused: Any = net.nas("Activate dedicated EPS bearer context reject")
    assert refused.esm_cause == cause
    assert (answer.cause.value, answer.bearer_contexts[0].cause.value) == (gtp, gtp)
    same_view(net)


def test_requests_that_name_nothing(net: Network) -> None:
    net.attach()
    for message in (create(net, teid=0xDEAD), create(net, linked=9)):
        assert ask(net, message).cause.value == 64
    assert ask(net, create(net, s1_u_sgw_f_teid=None)).cause.value == 103
    ue = net.core.mme.by_imsi[IMSI]
    update = gtpc.UpdateBearerRequest(teid=ue.s11_teid, ambr=gtpc.Ambr(1, 1), bearer_contexts=(
        gtpc.UpdateBearerRequestBearerContext(ebi=9),))
    assert ask(net, update).bearer_contexts[0].cause.value == 64
    deleted = ask(net, gtpc.DeleteBearerRequest(teid=ue.s11_teid, ebis=(9, 5)))
    assert [context.cause.value for context in deleted.bearer_contexts] == [64, 64]
    same_view(net)


def test_no_more_than_eleven(net: Network) -> None:
    net.attach()
    rules = tuple(Rule(f"r{number}", 8, (FilterRule.from_text(f"permit out 17 from 192.0.2.{number} to any"),))
                  for number in range(1, 13))
    installed(net, *rules)
    same_view(net, *range(6, 16))
    answer: Any = gtpc.decode(net.sent("Create Bearer Response")[-1].data)
    assert answer.cause.value == 17
    assert [context.cause.value for context in answer.bearer_contexts].count(73) == 2




def test_a_modification_that_the_phone_refuses(net: Network) -> None:
    installed(net)
    ue = net.core.mme.by_imsi[IMSI]
    answer = ask(net, gtpc.UpdateBearerRequest(teid=ue.s11_teid, ambr=gtpc.Ambr(1000, 1000), bearer_contexts=(
        gtpc.UpdateBearerRequestBearerContext(ebi=6, bearer_qos=BearerQos(1, 2, 1, 0)),)))
    assert answer.bearer_contexts[0].cause.value == 88
    refused: Any = net.nas("Modify EPS bearer context reject")
    assert refused.esm_cause == 37
    assert ue.bearer(6).gbr == (80, 80)  # type: ignore[union-attr]


def test_a_modification_that_the_enb_refuses(make_network: Make) -> None:
    net = make_network(enbs=(EnbConfig(refused_qcis=frozenset((2,))),))
    phone = installed(net)
    installed(net, replace(CALL, qci=2))
    assert not net.sent("Modify EPS bearer context accept", UE)
    assert phone.dedicated[6].qos.qci == 1
    assert "not changed: the eNB refuses" in net.verdicts("pgw")[-1]
    same_view(net, 6)


def test_an_activation_that_comes_twice(net: Network) -> None:
    """The phone's accept was lost: T3485 repeats the request, and the phone answers again."""
    phone = net.attach()
    net.fault("silent")
    net.command("pgw", InstallRules(IMSI, "internet", (CALL,)), 4)
    net.fault(None)
    net.run(6)
    assert len(net.sent("Activate dedicated EPS bearer context request")) == 2
    same_view(net, 6)
    assert phone.dedicated[6].qos.qci == 1


def test_a_dedicated_bearer_that_answers_nothing(net: Network) -> None:
    """A PTI that the phone did not give (TS 24.301, 7.3.1)."""
    phone = net.attach()
    ask(net, replace_pti(create(net), 77))
    refused: Any = net.nas("Activate dedicated EPS bearer context reject")
    assert refused.esm_cause == 47
    assert not phone.dedicated


def replace_pti(message: gtpc.CreateBearerRequest, pti: int) -> gtpc.CreateBearerRequest:
    message.procedure_transaction_id = pti
    return message
