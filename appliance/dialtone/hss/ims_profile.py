# SPDX-License-Identifier: Apache-2.0
"""The user profile of Cx (TS 29.228, annexes B and E): identities, which of them are barred, and filter criteria."""

from dialtone.codec import ims_subscription
from dialtone.codec.ims_subscription import (
    ORIGINATING,
    ORIGINATING_UNREGISTERED,
    TERMINATING_UNREGISTERED,
    ApplicationServer,
    ImsSubscription,
    InitialFilterCriteria,
    PublicIdentity,
    ServiceProfile,
    Spt,
    TriggerPoint,
)
from dialtone.hss.element import Hss
from dialtone.hss.subscriber import Profile, Subscriber

SMS_TYPE, PAGE_TYPE = "application/vnd.3gpp.sms", "text/plain"
_UNREGISTERED_PART = 1
_UNREGISTERED_CASES = {str(TERMINATING_UNREGISTERED), str(ORIGINATING_UNREGISTERED)}


def document(hss: Hss, subscriber: Subscriber) -> bytes:
    """User-Data. The identity that is made of the IMSI is barred where there is another one: it serves to register
    only, and is not to be shown to anybody (TS 23.003, 13.4B; TS 24.229, 5.4.1.2.2F)."""
    made = f"sip:{subscriber.imsi}@"
    others = any(not impu.startswith(made) for impu in subscriber.impus)
    identities = tuple(PublicIdentity(impu, others and impu.startswith(made)) for impu in subscriber.impus)
    profile = ServiceProfile(identities, criteria(hss, subscriber.profile))
    return ims_subscription.encode(ImsSubscription(subscriber.impi, (profile,)))


def criteria(hss: Hss, profile: Profile) -> tuple[InitialFilterCriteria, ...]:
    """The filter criteria of a profile."""
    if profile.ifc == "none":
        return ()
    if profile.ifc == "sms":
        return sms(f"sip:sms.{hss.plmn.ims_domain}")
    given = ims_subscription.decode(profile.ifc.encode())
    return tuple(each for part in given.profiles for each in part.criteria)


def sms(server: str) -> tuple[InitialFilterCriteria, ...]:
    """Short messages, and who is registered to get them, are for the IP-SM-GW (TS 24.341, 5.3.3); and so are page-mode
    texts for who is away (RFC 3428)."""
    texts = (Spt("Method", "MESSAGE", groups=(0,)), Spt("SIPHeader", "Content-Type", SMS_TYPE, groups=(1,)),
             Spt("SessionCase", str(ORIGINATING), groups=(2,)))
    page = (Spt("Method", "MESSAGE", groups=(0,)), Spt("SIPHeader", "Content-Type", PAGE_TYPE, groups=(1,)),
            Spt("SessionCase", str(TERMINATING_UNREGISTERED), groups=(2,)))
    gateway = ApplicationServer(server, include_register_request=True)
    return (InitialFilterCriteria(0, gateway, TriggerPoint(True, (Spt("Method", "REGISTER"),))),
            InitialFilterCriteria(1, ApplicationServer(server), TriggerPoint(True, texts)),
            InitialFilterCriteria(2, ApplicationServer(server), TriggerPoint(True, page)))


def serves_unregistered(hss: Hss, subscriber: Subscriber) -> bool:
    """Whether the profile has services for a user who is away (TS 29.228, 6.1.4.1)."""
    return any(one.profile_part == _UNREGISTERED_PART or (one.trigger is not None and any(
        spt.kind == "SessionCase" and spt.value in _UNREGISTERED_CASES and not spt.negated
        for spt in one.trigger.spts)) for one in criteria(hss, subscriber.profile))
