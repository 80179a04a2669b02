# SPDX-License-Identifier: Apache-2.0
"""A CSCF in a test's own hand: it asks our HSS over Cx, and answers what the HSS asks."""

from typing import Any

from network import Network, imsi_of
from s6a_peer import IMSI, ForeignEnd

from dialtone.codec import diameter
from dialtone.codec.diameter import AssignmentType, SipAuthDataItem

DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
IMPI = f"{IMSI}@{DOMAIN}"
TEMPORARY = f"sip:{IMPI}"
NUMBER = "15550101"
SIP, TEL = f"sip:+{NUMBER}@{DOMAIN}", f"tel:+{NUMBER}"
OURS = f"sip:scscf.{DOMAIN}"
SCSCF = "sip:scscf.example.org:6060"
CSCF_HOST, CSCF_REALM = "cscf.example.org", "example.org"


class Cscf(ForeignEnd):
    """I-CSCF and S-CSCF at once. Missing fields of a request are those of the first phone's."""

    def __init__(self, net: Network, host: str = CSCF_HOST, answers: int | None = 2001) -> None:
        super().__init__(net, "hss", host, answers, "Cx")

    def uar(self, **fields: Any) -> Any:
        """May it register?"""
        return self.ask(diameter.UserAuthorizationRequest, **{
            "user_name": IMPI, "public_identity": TEMPORARY, "visited_network_identifier": DOMAIN.encode(), **fields})

    def mar(self, count: int = 1, scheme: str | None = "Digest-AKAv1-MD5", auts: bytes | None = None,
            **fields: Any) -> Any:
        """Vectors."""
        item = SipAuthDataItem(sip_authentication_scheme=scheme, sip_authorization=auts)
        return self.ask(diameter.MultimediaAuthRequest, **{
            "user_name": IMPI, "public_identity": TEMPORARY, "sip_auth_data_item": item, "sip_number_auth_items": count,
            "server_name": SCSCF, **fields})

    def sar(self, kind: int = AssignmentType.REGISTRATION, **fields: Any) -> Any:
        """It is registered, or something else became of it."""
        return self.ask(diameter.ServerAssignmentRequest, **{
            "user_name": IMPI, "public_identity": (TEMPORARY,), "server_name": SCSCF, "server_assignment_type": kind,
            "user_data_already_available": 0, **fields})

    def lir(self, impu: str, **fields: Any) -> Any:
        """Who has it?"""
        return self.ask(diameter.LocationInfoRequest, **{"user_name": None, "public_identity": impu, **fields})


def code(message: Any) -> tuple[str, int]:
    """Which AVP says how it went, and what."""
    if message.experimental_result is not None:
        assert message.result_code is None
        assert message.experimental_result.vendor_id == 10415
        return "experimental", int(message.experimental_result.experimental_result_code)
    return "result", int(message.result_code)


def network(tmp_path: Any, **kwargs: Any) -> Network:
    """Two phones, the first with a number."""
    net = Network(tmp_path, phones=0, **kwargs)
    net.add_subscriber(IMSI, msisdn=NUMBER)
    net.add_subscriber(imsi_of(2), msisdn="15550102")
    return net
