# SPDX-License-Identifier: Apache-2.0
"""Rules on what comes before the first SIP message: does the phone want IMS, does the network offer it, is there a
connection for it, and does the phone use that (TS 23.221, 7.2a; TS 24.229, B.2.2.1)? They speak of phones that say
something of voice when they attach.
"""

from dialtone.codec.nas.values import EpsAttachResult, EpsAttachType, VoiceDomain
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, rule

PATIENCE = 30.0
"""Seconds in which a phone that wants IMS has taken the next step."""
IMS = "ims"
_CHECKLIST = ("At the phone: VoLTE on; the APN ims with type ims beside an APN of type default; a phone or SIM that "
              "allows VoLTE in this network (PLMN 001/01 is allowed by most).")


def _accepted(story: Story) -> tuple[Step, Step, Step] | None:
    """Attach request, accept and complete of a phone that says something of voice."""
    request, accept, complete = (story.last(f"Attach {what}") for what in ("request", "accept", "complete"))
    if request is None or accept is None or complete is None:
        return None
    says = getattr(request.message, "voice_domain_preference", None) is not None
    return (request, accept, complete) if says else None


def _wants(story: Story) -> tuple[Step, Step, Step] | None:
    """The same of one that wants calls by IMS."""
    steps = _accepted(story)
    if steps is None or steps[0].message.voice_domain_preference.voice_domain == VoiceDomain.CS_ONLY:
        return None
    return steps


def _bearers(story: Story) -> list[Step]:
    """Default bearers that came up after the attach."""
    return story.all("Activate default EPS bearer context request")


def _asks(story: Story) -> list[Step]:
    return story.all("PDN connectivity request")


@rule("volte-off", instead_of=("attached",))
def volte_off(story: Story) -> Found:
    """The phone says that it calls in 2G and 3G only, or that data are all it wants (TS 24.008, 10.5.5.28)."""
    steps = _accepted(story)
    if steps is None:
        return None
    preference = steps[0].message.voice_domain_preference
    if preference.voice_domain == VoiceDomain.CS_ONLY:
        why = "calls in 2G and 3G networks only"
    elif preference.data_centric:
        why = "that it is for data (data centric)"
    else:
        return None
    return failure("volte-off", story, f"The phone attached and says {why}: it will not register for calls here.",
                   [steps[0]], phone="At the phone: switch VoLTE (4G calling) on; where there is no such switch, its "
                   "firmware does not allow VoLTE in this network: use PLMN 001/01, or a SIM with a carrier rule.")


@rule("no-ims-vops", instead_of=("attached",))
def no_ims_vops(story: Story) -> Found:
    """We did not offer calls by IMS, in the attach or in an update after it (TS 24.301, 9.9.3.12A)."""
    steps = _wants(story)
    if steps is None:
        return None
    for step in (steps[1], *story.all("Tracking area update accept")):
        features = getattr(step.message, "eps_network_feature_support", None)
        if features is None or not features.ims_vops:
            return failure("no-ims-vops", story, "The network did not tell the phone that it has calls over IMS, so "
                           "the phone will try none.", [step], network="Set IMS VoPS in every Attach and Tracking area "
                           "update accept: this network always does, so look at the MME that sent this one.")
    return None


@rule("combined-refused", instead_of=("attached",))
def combined_refused(story: Story) -> Found:
    """A combined attach that was answered for EPS only (TS 24.301, 5.5.1.3.4.3)."""
    steps = _accepted(story)
    if steps is None or steps[0].message.eps_attach_type != EpsAttachType.COMBINED:
        return None
    if steps[1].message.eps_attach_result == EpsAttachResult.COMBINED:
        return None
    return failure("combined-refused", story, "The phone asked for texts over NAS as well and got packets only: phones "
                   "that need calls may leave the network for 2G.", [steps[0], steps[1]],
                   network="Accept the combined attach for SMS only: switch texts over NAS on.")


@rule("ims-as-default-apn", instead_of=("attached", "ims-never-asked"))
def ims_as_default_apn(story: Story) -> Found:
    """The connection of the attach itself is the one for IMS."""
    information, complete = story.last("ESM information response"), story.last("Attach complete")
    apn = (getattr(information.message, "access_point_name", None) or "").lower() if information else ""
    if complete is None or information is None or apn != IMS or information.event.time > complete.event.time:
        return None
    return failure("ims-as-default-apn", story, "The phone uses the APN ims for everything: it was entered where the "
                   "APN for the Internet belongs, so neither the Internet nor IMS will work as it should.",
                   [information],
                   phone="At the phone: an APN internet with type default, and the APN ims with type ims only.")


@rule("ims-never-asked", instead_of=("attached",))
def ims_never_asked(story: Story) -> Found:
    """No PDN connectivity request after the attach, though there was time for it."""
    steps = _wants(story)
    if steps is None or story.end - steps[2].event.time < PATIENCE or story.last("Detach request"):
        return None
    if any(step.event.time > steps[1].event.time for step in (*_asks(story), *_bearers(story))):
        return None
    return failure("ims-never-asked", story, "The phone attached and never asked for the IMS connection: the network "
                   "cannot change that, the phone has to want it.", [steps[2]], phone=_CHECKLIST)


@rule("ims-connection-refused", instead_of=("attached", "session-refused", "unknown-apn", "pdn-type"))
def ims_connection_refused(story: Story) -> Found:
    """The IMS connection was refused (TS 24.301, 6.5.1.4)."""
    steps, refused = _wants(story), story.last("PDN connectivity reject")
    if steps is None or refused is None or refused.event.time < steps[2].event.time:
        return None
    asked = next((step for step in reversed(_asks(story)) if step.event.time <= refused.event.time), None)
    apn = (getattr(asked.message, "access_point_name", None) or "").lower() if asked else ""
    if apn.partition(".")[0] != IMS:
        return None
    return failure("ims-connection-refused", story, "The phone asked for the IMS connection and was refused (ESM cause "
                   f"#{refused.message.esm_cause}).", [asked, refused],
                   network=f"Add the APN ims, for IPv4, to its profile: dialtone subscriber show {story.imsi}.")


def _ims_bearer(story: Story) -> Step | None:
    return next((step for step in reversed(_bearers(story))
                 if (step.message.access_point_name or "").lower().partition(".")[0] == IMS), None)


@rule("ims-no-p-cscf", instead_of=("attached", "ims-no-sip"))
def ims_no_p_cscf(story: Story) -> Found:
    """The phone was told no P-CSCF, one that is nowhere, or one of the other IP version (TS 24.008, 10.5.6.3)."""
    bearer = _ims_bearer(story) if _wants(story) else None
    if bearer is None:
        return None
    options, address = bearer.message.protocol_configuration_options, bearer.message.pdn_address
    known = [*options.p_cscf_ipv4, *options.p_cscf_ipv6] if options is not None else []
    versions = {4} if address.ipv4 else set()
    versions |= {6} if address.interface_identifier else set()
    if not known:
        what = "the network told it no P-CSCF"
    elif all(one.is_loopback or one.is_unspecified for one in known):
        what = f"the P-CSCF that it was told, {known[0]}, is no address that a phone can reach"
    elif not versions & {one.version for one in known}:
        what = f"its address is IPv{min(versions, default=4)}, and the P-CSCF's ({known[0]}) is not"
    else:
        return None
    return failure("ims-no-p-cscf", story, f"The phone has its IMS connection, and {what}: it cannot register.",
                   [bearer], network="Give the APN ims its P-CSCF: the gateway of its pool, of the same IP version.")


@rule("ims-no-sip", instead_of=("attached",))
def ims_no_sip(story: Story) -> Found:
    """The IMS connection stands, and no SIP message has come over it."""
    bearer = _ims_bearer(story) if _wants(story) else None
    if bearer is None or story.end - bearer.event.time < PATIENCE or story.last("Detach request"):
        return None
    if any(step.event.point == "Gm" for step in story.steps) or story.last("Deactivate EPS bearer context request"):
        return None
    return failure("ims-no-sip", story, "The phone has its IMS connection and a P-CSCF, and has sent it nothing.",
                   [bearer], phone=_CHECKLIST, network="Compare the octets that came from its IMS address (dialtone ue "
                   "show): none, then the phone does not try; some, then look at routes and the firewall.")
