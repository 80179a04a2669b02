# SPDX-License-Identifier: Apache-2.0
"""S1AP procedures that this MME does not have: answered by their criticality (TS 36.413, 10.3.4.1)."""

import pytest
from network import Network, imsi_of

from dialtone.codec import s1ap

REJECT, IGNORE = 0x00, 0x40
PROCEDURES = {
    "E-RAB Modification Indication": (50, REJECT),
    "UE Context Modification Indication": (53, REJECT),
    "UE Context Suspend": (55, REJECT),
    "UE Context Resume": (56, REJECT),
    "Retrieve UE Information": (58, REJECT),
    "eNB CP Relocation Indication": (60, REJECT),
    "Secondary RAT Data Usage Report": (62, IGNORE),
    "UE Radio Capability ID Mapping": (63, REJECT),
    "Uplink S1 CDMA2000 Tunnelling": (20, IGNORE),
    "Uplink UE Associated LPPa Transport": (45, IGNORE),
    "Uplink Non UE Associated LPPa Transport": (47, IGNORE),
    "Private Message": (39, IGNORE),
}


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_procedure_that_we_do_not_have(net: Network, name: str) -> None:
    code, criticality = PROCEDURES[name]
    net.attach()
    last = net.events()[-1].id
    net.loop.deliver("mme", "S1-MME", "enb1", bytes((0, code, criticality, 3, 0, 0, 0)), 1)
    net.run(1.0)
    said = [s1ap.decode(event.data) for event in net.events("S1-MME")
            if event.id > last and event.src == "mme" and event.kind == "tx"]
    if criticality == IGNORE:
        assert said == []
    else:
        (answer,) = said
        assert isinstance(answer, s1ap.ErrorIndication)
        assert answer.cause.value == s1ap.CauseProtocol.ABSTRACT_SYNTAX_ERROR_REJECT
        assert answer.criticality_diagnostics is not None
        assert answer.criticality_diagnostics.procedure_code == code
    assert net.phones[imsi_of(1)].emm == "EMM-REGISTERED"
