# SPDX-License-Identifier: Apache-2.0
"""Rows D1 to D10 and D38 of the diagnosis catalogue: what comes before the first SIP message."""

from collections.abc import Callable

import pytest
from catalogue import BOTH, COMBINED, Case, attach_for_ipv6, check
from network import Network

from dialtone.sim.ims.client import ImsHandset

CASES = (
    Case("volte_off", "volte-off", "phone", "switch VoLTE (4G calling) on"),
    Case("data_centric", "volte-off", "phone", "data centric"),
    Case("no_ims_vops", "no-ims-vops", "network", "Set IMS VoPS in every Attach and Tracking area update accept"),
    Case("eps_only", "combined-refused", "network", "Accept the combined attach for SMS only", lte=COMBINED),
    Case("no_ims_pdn", "ims-never-asked", "phone", "VoLTE on; the APN ims"),
    Case("ims_as_default", "ims-as-default-apn", "phone", "an APN internet with type default"),
    Case("no_ims_apn", "ims-connection-refused", "network", "Add the APN ims"),
    Case("no_p_cscf", "ims-no-p-cscf", "network", "the network told it no P-CSCF"),
    Case("p_cscf_at_loopback", "ims-no-p-cscf", "network", "127.0.2.1, is no address that a phone can reach"),
    Case("p_cscf_ipv6_only", "ims-p-cscf-family", "network", "its address is IPv4"),
    Case("p_cscf_ipv4_only", "ims-p-cscf-family", "network", "some phones insist on the other version",
         play=attach_for_ipv6, lte=BOTH),
    Case("no_sip", "ims-no-sip", "network or phone", "has sent it nothing"),
    Case("p_cscf_without_tcp", "ims-port-closed", "network", "nobody listens there",
         ims=ImsHandset(transport="tcp")),
)


@pytest.mark.parametrize("case", CASES, ids=[case.fault for case in CASES])
def test_a_fault_and_its_verdict(make_network: Callable[..., Network], case: Case) -> None:
    """The same from the first phone of a fresh network, and from another one after a healthy day."""
    first = check(make_network(phones=0), case, 1, late=False)
    assert check(make_network(phones=0), case, 7, late=True) == first
