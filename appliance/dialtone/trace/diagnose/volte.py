# SPDX-License-Identifier: Apache-2.0
"""Rules on what comes before the first SIP message: does the phone want IMS, does the network offer it, is there a
connection for it, and does the phone use that (TS 23.221, 7.2a; TS 24.229, B.2.2.1)? They speak of phones that say
something of voice when they attach.
"""

from ipaddress import IPv4Address, IPv6Address

from dialtone.codec.nas.causes import EsmCause, cause_name
from dialtone.codec.nas.values import EpsAttachResult, EpsAttachType, VoiceDomain
from dialtone.codec.pco import Id
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, note, rule

PATIENCE = 30.0
"""Seconds in which a phone that wants IMS has taken the next step."""
IMS, XCAP = "ims", "xcap"
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


def apn_of(step: Step | None) -> str:
    """The first label of the APN that a message names, in small letters; "" for none."""
    return (getattr(step.message, "access_point_name", None) or "").lower().partition(".")[0] if step else ""


def _bearers(story: Story) -> list[Step]:
    """Default bearers that came up after the attach."""
    return story.all("Activate default EPS bearer context request")


def _asks(story: Story) -> list[Step]:
    return story.all("PDN connectivity request")


@rule("volte-off", "D1", attach=True, instead_of=("ims-never-asked",), phone="At the phone: switch VoLTE (4G "
      "calling) on; where there is no such switch, its firmware does not allow VoLTE in this network: use PLMN "
      "001/01, or a SIM with a carrier rule.")
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
                   [steps[0]])


@rule("no-ims-vops", "D2", attach=True, instead_of=("ims-never-asked",), network="Set IMS VoPS in every Attach and "
      "Tracking area update accept: this network always does, so look at the MME that sent this one.")
def no_ims_vops(story: Story) -> Found:
    """We did not offer calls by IMS, in the attach or in an update after it (TS 24.301, 9.9.3.12A)."""
    steps = _wants(story)
    if steps is None:
        return None
    step = story.last("Tracking area update accept") or steps[1]
    features = getattr(step.message, "eps_network_feature_support", None)
    if step.message is None or (features is not None and features.ims_vops):
        return None
    return failure("no-ims-vops", story, "The network did not tell the phone that it has calls over IMS, so the phone "
                   "will try none.", [step])


@rule("combined-refused", "D3", attach=True, network="Accept the combined attach for SMS only: switch texts over NAS "
      "on, and say IMS VoPS.")
def combined_refused(story: Story) -> Found:
    """A combined attach that was answered for EPS only (TS 24.301, 5.5.1.3.4.3)."""
    request, accept = story.last("Attach request"), story.last("Attach accept")
    if request is None or accept is None or request.message.eps_attach_type != EpsAttachType.COMBINED:
        return None
    if getattr(accept.message, "eps_attach_result", None) in (None, EpsAttachResult.COMBINED):
        return None
    return failure("combined-refused", story, "The phone asked for texts over NAS as well and got packets only: phones "
                   "that need calls may leave the network for 2G.", [request, accept])


@rule("ims-as-default-apn", "D5", attach=True, instead_of=("ims-never-asked",),
      phone="At the phone: an APN internet with type default, and the APN ims with type ims only.")
def ims_as_default_apn(story: Story) -> Found:
    """The connection of the attach itself is the one for IMS."""
    information, complete = story.last("ESM information response"), story.last("Attach complete")
    if complete is None or apn_of(information) != IMS or information.event.time > complete.event.time:  # type: ignore[union-attr]
        return None
    return failure("ims-as-default-apn", story, "The phone uses the APN ims for everything: it was entered where the "
                   "APN for the Internet belongs, so neither the Internet nor IMS will work as it should.",
                   [information])


@rule("ims-never-asked", "D4", attach=True, phone=_CHECKLIST)
def ims_never_asked(story: Story) -> Found:
    """No PDN connectivity request after the attach, though there was time for it."""
    steps = _wants(story)
    if steps is None or story.end - steps[2].event.time < PATIENCE or story.last("Detach request"):
        return None
    if any(step.event.time > steps[1].event.time for step in (*_asks(story), *_bearers(story))):
        return None
    return failure("ims-never-asked", story, "The phone attached and never asked for the IMS connection: the network "
                   "cannot change that, the phone has to want it.", [steps[2]])


def _refusal(story: Story, apn: str) -> tuple[Step, Step] | None:
    """The request for a connection to this APN beside the first one, and the last refusal of it."""
    steps, refused = _accepted(story), story.last("PDN connectivity reject")
    if steps is None or refused is None or refused.event.time < steps[2].event.time:
        return None
    asked = next((step for step in reversed(_asks(story)) if step.event.time <= refused.event.time), None)
    return (asked, refused) if asked is not None and apn_of(asked) == apn else None


@rule("ims-connection-refused", "D6", attach=True, instead_of=("session-refused", "unknown-apn", "pdn-type"),
      network="Add the APN ims, for IPv4, to its profile: dialtone subscriber show {imsi}.")
def ims_connection_refused(story: Story) -> Found:
    """The IMS connection was refused (TS 24.301, 6.5.1.4)."""
    found = _refusal(story, IMS)
    if found is None or any(apn_of(step) == IMS and step.id > found[1].id for step in _bearers(story)):
        return None
    why = cause_name(EsmCause, found[1].message.esm_cause)
    return failure("ims-connection-refused", story, f"The phone asked for the IMS connection and was refused ({why}).",
                   found)


@rule("xcap-refused", "D6", attach=True, instead_of=("session-refused", "unknown-apn", "pdn-type"))
def xcap_refused(story: Story) -> Found:
    """The APN for settings of supplementary services, which nobody here has (TS 24.623)."""
    found = _refusal(story, XCAP)
    if found is None:
        return None
    return note("xcap-refused", story, "The phone asked for the APN xcap too and was refused: that is harmless, calls "
                "and texts do without.", found)


def _ims_bearer(story: Story) -> Step | None:
    if _wants(story) is None:
        return None
    return next((step for step in reversed(_bearers(story)) if apn_of(step) == IMS), None)


def _silent(story: Story, bearer: Step) -> bool:
    """No SIP has come over this bearer, though there was time for it, and it still stands."""
    return not (story.end - bearer.event.time < PATIENCE or story.last("Detach request")
                or any(step.event.point == "Gm" and step.event.data for step in story.steps)
                or story.after(bearer, "Deactivate EPS bearer context request"))


@rule("ims-no-p-cscf", "D7", attach=True, instead_of=("ims-no-sip", "ims-port-closed"), network="Give the APN ims "
      "its P-CSCF: the address at which the P-CSCF listens, which is the gateway of its pool.")
def ims_no_p_cscf(story: Story) -> Found:
    """The phone asked for a P-CSCF and was told none, or one that is nowhere (TS 24.008, 10.5.6.3)."""
    bearer = _ims_bearer(story)
    if bearer is None:
        return None
    known = _p_cscfs(bearer)
    if not known:
        what = "the network told it no P-CSCF"
    elif all(one.is_loopback or one.is_unspecified or one.is_multicast for one in known):
        what = f"the P-CSCF that it was told, {known[0]}, is no address that a phone can reach"
    else:
        return None
    return failure("ims-no-p-cscf", story, f"The phone has its IMS connection, and {what}: it cannot register.",
                   [_asked_for(story), bearer])


def _p_cscfs(bearer: Step) -> list[IPv4Address | IPv6Address]:
    options = bearer.message.protocol_configuration_options
    return [*options.p_cscf_ipv4, *options.p_cscf_ipv6] if options is not None else []


def _asked_for(story: Story) -> Step | None:
    """The request whose options asked for a P-CSCF."""
    for step in reversed(_asks(story)):
        options = step.message.protocol_configuration_options
        if options is not None and {Id.P_CSCF_IPV4, Id.P_CSCF_IPV6} & {number for number, _ in options.containers}:
            return step
    return None


@rule("ims-p-cscf-family", "D8", attach=True, instead_of=("ims-no-sip",), network="Give the APN ims one IP version "
      "and a P-CSCF of the same: pdn_type = \"ipv4\" in [apn.ims] is what every phone takes.")
def p_cscf_family(story: Story) -> Found:
    """Address and P-CSCF are of different IP versions, or the phone has two and uses the wrong one (TS 23.228, 5.1)."""
    bearer = _ims_bearer(story)
    known = _p_cscfs(bearer) if bearer else []
    if bearer is None or not known:
        return None
    address = bearer.message.pdn_address
    versions = ({4} if address.ipv4 else set()) | ({6} if address.interface_identifier else set())
    theirs = {one.version for one in known}
    if not versions & theirs:
        what = f"its address is IPv{min(versions, default=4)}, and the P-CSCF's ({known[0]}) is not"
    elif versions > theirs and _silent(story, bearer):
        what = (f"it has an address of either version, the P-CSCF ({known[0]}) has IPv{min(theirs)} only, and it has "
                "sent nothing: some phones insist on the other version")
    else:
        return None
    return failure("ims-p-cscf-family", story, f"The phone has its IMS connection, and {what}.", [bearer])


@rule("ims-no-sip", "D9", attach=True, phone=_CHECKLIST, network="Compare the octets that came from its IMS address "
      "(dialtone ue show): none, then the phone does not try; some, then look at routes and the firewall.")
def ims_no_sip(story: Story) -> Found:
    """The IMS connection stands, and no SIP message has come over it."""
    bearer = _ims_bearer(story)
    if bearer is None or not _silent(story, bearer):
        return None
    return failure("ims-no-sip", story, "The phone has its IMS connection and a P-CSCF, and has sent it nothing.",
                   [bearer])


@rule("other-plmn", "D38", attach=True, network="Make them equal: mcc and mnc in [network] and at the eNB, or cards "
      "of this PLMN, or its PLMN among the card's EHPLMNs.")
def other_plmn(story: Story) -> Found:
    """The card's home network is another one than the cell's: phones show that they roam (TS 22.011, 3.2)."""
    for step in (*story.all("InitialUEMessage"), *story.all("UplinkNASTransport")):
        plmn = step.message.tai.plmn
        if not story.imsi.isdigit() or story.imsi.startswith(plmn.mcc + plmn.mnc):
            return None
        return note("other-plmn", story, f"The phone's card is of another network ({story.imsi[:3]} "
                    f"{story.imsi[3:6]}...) than the cell ({plmn}): phones show that they roam, and some switch VoLTE "
                    "off then.", [step])
    return None
