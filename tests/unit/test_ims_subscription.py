# SPDX-License-Identifier: Apache-2.0
"""User-Data of Cx: both directions, and as other HSSs write it."""

import pytest

from dialtone.codec.ims_subscription import (
    ApplicationServer,
    ImsSubscription,
    InitialFilterCriteria,
    PublicIdentity,
    ServiceProfile,
    Spt,
    TriggerPoint,
    decode,
    encode,
)
from dialtone.errors import ProtocolError

FULL = ImsSubscription("001010000000001@ims.mnc001.mcc001.3gppnetwork.org", (ServiceProfile(
    (PublicIdentity("sip:+15550001@ims.mnc001.mcc001.3gppnetwork.org", display="A & B"),
     PublicIdentity("tel:+15550001"),
     PublicIdentity("sip:001010000000001@ims.mnc001.mcc001.3gppnetwork.org", barred=True)),
    (InitialFilterCriteria(1, ApplicationServer("sip:sms.example.org", 1, "<info>", True, True), TriggerPoint(True, (
        Spt("Method", "REGISTER", registration_types=(0, 2)),
        Spt("SIPHeader", "Contact", r"\+g\.3gpp\.smsip", True, (1,)), Spt("SessionCase", "0", groups=(1, 2)),
        Spt("RequestURI", "^tel:"), Spt("SessionDescription", "m", "video"))), 0),
     InitialFilterCriteria(2, ApplicationServer("sip:all.example.org")))),))

# As PyHSS and FHoSS lay it out: indented, a namespace, Identity before BarringIndication, an empty SIPHeader Content.
FOREIGN = b"""<?xml version="1.0" encoding="UTF-8"?>
<IMSSubscription xmlns="urn:3gpp:ns:cx">
  <PrivateID>001011234567890@ims.mnc001.mcc001.3gppnetwork.org</PrivateID>
  <ServiceProfile>
    <PublicIdentity><Identity>sip:001011234567890@ims.mnc001.mcc001.3gppnetwork.org</Identity>
      <BarringIndication>1</BarringIndication><Extension><IdentityType>0</IdentityType></Extension></PublicIdentity>
    <PublicIdentity><Identity> tel:+15550002 </Identity></PublicIdentity>
    <InitialFilterCriteria>
      <Priority>10</Priority>
      <TriggerPoint><ConditionTypeCNF>0</ConditionTypeCNF>
        <SPT><ConditionNegated>0</ConditionNegated><Group>0</Group><Method>MESSAGE</Method><Extension></Extension></SPT>
        <SPT><ConditionNegated>1</ConditionNegated><Group>0</Group><SIPHeader><Header>Server</Header></SIPHeader></SPT>
      </TriggerPoint>
      <ApplicationServer><ServerName>sip:smsc.example.org:5060</ServerName><DefaultHandling>0</DefaultHandling>
        <Extension><IncludeRegisterRequest/></Extension></ApplicationServer>
    </InitialFilterCriteria>
  </ServiceProfile>
</IMSSubscription>"""


def test_both_directions() -> None:
    assert decode(encode(FULL)) == FULL


def test_of_another_hss() -> None:
    found = decode(FOREIGN)
    assert found.identities == (PublicIdentity("sip:001011234567890@ims.mnc001.mcc001.3gppnetwork.org", True),
                                PublicIdentity("tel:+15550002"))
    (criteria,) = found.profiles[0].criteria
    assert criteria.trigger == TriggerPoint(False, (Spt("Method", "MESSAGE"), Spt("SIPHeader", "Server", negated=True)))
    assert criteria.server.include_register_request
    assert not criteria.server.include_register_response
    assert criteria.profile_part is None


@pytest.mark.parametrize("change", [
    (b"PrivateID", b"PublicID"), (b"<Identity>", b"<X>"), (b"<Priority>10", b"<Priority>x"),
    (b"<Group>0", b"<Group>-1"),
    (b"<Method>MESSAGE</Method>", b""), (b"ApplicationServer", b"Server"), (b"ServerName", b"Name"),
    (b"</IMSSubscription>", b""), (b"<IMSS", b"<!doctype x []><IMSS")])
def test_what_is_no_subscription(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(ProtocolError):
        decode(FOREIGN.replace(*change))
