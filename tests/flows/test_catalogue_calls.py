# SPDX-License-Identifier: Apache-2.0
"""Rows D26 to D36 and D38 of the diagnosis catalogue: what a registered phone does, and is kept from."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from catalogue import (
    OTHER,
    REGISTERED,
    THIRD,
    Case,
    attach,
    attach_and_get_text,
    be_called,
    call,
    call_without_end,
    change_the_bearer,
    check,
    get_text,
    scene_of,
    text,
    wait,
)
from network import ONE_TRY, OPC, K, Network, imsi_of

from dialtone.sim.enb import EnbConfig
from dialtone.sim.ims.client import ImsHandset
from dialtone.sim.ims.identity import Isim
from dialtone.sim.usim import Usim
from dialtone.trace.diagnose import Level, diagnose

WITHOUT = ImsHandset(preconditions=False)
CASES = (
    Case("notify_in_clear", "ims-no-notify", "network", "outside of the security association", play=wait),
    Case("foreign_identity", "ims-no-notify", "network", "Compare its From with P-Associated-URI", play=wait),
    Case("garbled_number", "ims-unknown-number", "network or phone", "and the network looked for", play=call,
         before=REGISTERED),
    Case("stuck_at_183", "call-stuck", "phone", "does not say so to the other end", play=call, before=REGISTERED),
    Case("stuck_at_183", "call-stuck", "phone", "does not ring", play=be_called, before=REGISTERED),
    Case("no_media_authorisation", "call-bearer-not-asked", "network", "ask for the bearer over Rx", play=call,
         before=REGISTERED, hits_other=True),
    Case("filters_of_another_call", "call-filters", "network", "the phone has its media at port", play=call,
         before=REGISTERED),
    Case("no_bearer_changes", "bearer-change-refused", "network", "#32", play=change_the_bearer, before=REGISTERED),
    Case("bye_over_a_dead_connection", "call-end-unanswered", "network or phone", "did not answer BYE", play=be_called,
         before=REGISTERED),
    Case("no_answer_to_bye", "call-end-unanswered", "network or phone", "did not answer BYE", play=be_called,
         before=REGISTERED),
    Case("no_session_refresh", "call-cut-by-timer", "phone", "had to refresh the session within 1800 s",
         play=call_without_end, before=REGISTERED),
    Case("phone_without_tcp", "call-not-delivered", "network or phone", "It refuses TCP connections", play=be_called,
         before=REGISTERED),
    Case("insists_on_preconditions", "call-preconditions", "network or phone", "says nothing of preconditions",
         play=call, before=REGISTERED, others=WITHOUT),
    Case("texts_by_address", "text-not-taken-by-proxy", "network or phone", "names no service centre", play=text,
         before=REGISTERED),
    Case("no_smsip", "text-no-carrier", "network or phone", "does not say +g.3gpp.smsip", play=attach_and_get_text),
    Case("no_rp_ack", "text-answer-missing", "phone", "was never answered", play=get_text, before=REGISTERED),
    Case("wrong_rp_reference", "text-answer-missing", "phone", "under another number", play=get_text,
         before=REGISTERED),
    Case("report_of_another_text", "text-answer-missing", "network", "shows its text as not sent", play=text,
         before=REGISTERED),
)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.fault}-{case.play.__name__}" for case in CASES])
def test_a_fault_and_its_verdict(make_network: Callable[..., Network], case: Case) -> None:
    """The same from the first phone of a fresh network, and from another one after a healthy day."""
    first = check(make_network(phones=0), case, 1, late=False)
    assert check(make_network(phones=0), case, 7, late=True) == first


@pytest.mark.parametrize(("imsi", "late"), [("999700000000001", False), ("001020000000007", True)])
def test_a_card_of_another_network(make_network: Callable[..., Network], imsi: str, late: bool) -> None:
    """D38: it registers by its ISIM, calls work, and phones show that they roam."""
    net = make_network(phones=0)
    if late:
        net.attach(net.add_ims(1).imsi, 3600)
    impi = f"{imsi}@{net.config.network.plmn.ims_domain}"
    net.add_subscriber(imsi, msisdn="15550123", impi=impi, impu=f"sip:{impi}")
    usim = Usim(imsi, K, OPC)
    phone = net.add_phone(imsi, replace(ONE_TRY, ims="ims"), usim)
    net.put_ims(phone, isim=Isim(impi, (f"sip:{impi}",), net.config.network.plmn.ims_domain))
    net.attach(imsi, 40)
    found = {verdict.rule: verdict for verdict in diagnose(net.events(), imsi)}
    assert set(found) == {"attached", "ims-registered", "other-plmn"}
    verdict = found["other-plmn"]
    assert (verdict.row, verdict.level, verdict.change) == ("D38", Level.NOTE, "network")
    assert "phones show that they roam" in verdict.text
    assert set(verdict.evidence) <= {event.id for event in net.events()}
    if late:
        assert {one.level for one in diagnose(net.events(), imsi_of(1))} == {Level.OK}


@pytest.mark.parametrize("qcis", [frozenset({1}), frozenset({1, 2})])
def test_an_enb_without_bearers_for_voice(make_network: Callable[..., Network], qcis: frozenset[int]) -> None:
    """D28: both phones of the call are told, since neither gets a bearer."""
    net = make_network(phones=0, enbs=(EnbConfig(refused_qcis=qcis),))
    scene = scene_of(net, Case("stuck_at_183", "", "", ""), 1)
    attach(scene)
    call(scene)
    for number in (1, OTHER):
        (verdict,) = scene.verdicts(number)
        assert (verdict.rule, verdict.row, verdict.change) == ("call-without-bearer", "D28", "network")
        assert "not-supported-qci-value" in verdict.text
        assert "licence" in verdict.network
    assert scene.healthy(THIRD)
