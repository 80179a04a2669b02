# SPDX-License-Identifier: Apache-2.0
"""Rows D11 to D25 and D37 of the diagnosis catalogue: registration to IMS, and its security associations."""

from collections.abc import Callable

import pytest
from catalogue import REGISTERED, Case, call_after_registering_again, check, wait, wait_long, with_a_stale_card
from network import Network

from dialtone.sim.ims.client import ImsHandset

UDP = ImsHandset(transport="udp", mechanisms=(("hmac-md5-96", "null"),))
CASES = (
    Case("two_digit_mnc", "ims-other-domain", "network or phone", "ims.mnc01.mcc001.3gppnetwork.org"),
    Case("wrong_impi", "ims-unknown-subscriber", "network", "--impi nobody@"),
    Case("no_visited_network", "ims-no-visited-network", "network", "Have the P-CSCF add P-Visited-Network-ID"),
    Case("wrong_isim_key", "ims-wrong-key", "network", "the card has an ISIM with keys of its own", play=wait),
    Case("silent_after_401", "ims-challenge-unanswered", "network or phone", "was challenged for IMS and fell silent"),
    Case("challenge_lost", "ims-challenge-lost", "network", "does not reach it", ims=UDP),
    Case("wrong_isim_auts", "ims-resync-failed", "network or phone", "told its own (auts), and that did not help",
         play=wait),
    Case("resynchronisation_ignored", "ims-resync-failed", "network or phone", "counts calls and data apart",
         play=with_a_stale_card),
    Case("no_security_server", "ims-no-security-server", "network", "no SAs or ports left"),
    Case("stale_algorithm", "ims-algorithm-not-offered", "network", "chose hmac-sha-256-128", play=wait),
    Case("wrong_ipsec_key", "ims-esp-refused", "network", "XfrmInStateProtoError"),
    Case("no_sa_outwards", "ims-esp-blocked", "network", "SAs for UDP and TCP"),
    Case("wrong_security_verify", "ims-security-verify", "network or phone", "must repeat the network's"),
    Case("wrong_digest", "ims-wrong-answer", "network or phone", "It was made over: username"),
    Case("acceptance_lost", "ims-answer-lost", "network or phone", "does not reach it", play=wait_long),
    Case("short_expiry", "ims-too-brief", "phone", "ask again for the 60 s", play=wait),
    Case("registrar_wants_long", "ims-too-brief", "network", "at least 8640000 s", play=wait),
    Case("gated_on_qos", "ims-register-gated", "network", "Can't register to QoS", play=wait),
    Case("stale_sas", "ims-sas-lost", "network or phone", "XfrmInNoStates", play=call_after_registering_again,
         before=REGISTERED),
    Case("no_security_client", "ims-no-ipsec", "network", "--ipsec optional"),
    Case("md5", "ims-no-ipsec", "network", "asks for Digest MD5"),
)


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_a_fault_and_its_verdict(make_network: Callable[..., Network], case: Case) -> None:
    """The same from the first phone of a fresh network, and from another one after a healthy day."""
    first = check(make_network(phones=0), case, 1, late=False)
    assert check(make_network(phones=0), case, 7, late=True) == first
