# SPDX-License-Identifier: Apache-2.0
"""The mistakes of networks, by row of the diagnosis catalogue (docs/diagnosis.md). Ours makes none by itself."""

from dataclasses import replace
from ipaddress import IPv6Address

from dialtone.codec import nas, sip
from dialtone.codec.diameter import AARequest, MultimediaAuthRequest, UpdateLocationAnswer
from dialtone.codec.gtpc import BearerResourceCommand
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.nas.values import EpsAttachResult
from dialtone.codec.pco import Id, ProtocolConfigurationOptions
from dialtone.codec.sms import RPAck, rp
from dialtone.codec.tft import Tft
from dialtone.effects import EspRefused, PeerDown
from dialtone.errors import ProtocolError
from dialtone.sim.tampering import FAULTS, Fate, Outcome, Refused, fault
from dialtone.sip.flow import Flow

__all__ = ["FAULTS"]

ACCEPTS = (nas.AttachAccept, nas.TrackingAreaUpdateAccept)
P_CSCFS = (Id.P_CSCF_IPV4, Id.P_CSCF_IPV6)
CONTAINER = "application/vnd.3gpp.sms"


@fault("D2", "mme NAS", of=ACCEPTS)
def no_ims_vops(message: nas.AttachAccept | nas.TrackingAreaUpdateAccept, peer: str) -> Outcome:
    """The MME says nothing of calls over IMS when it accepts a phone."""
    message.eps_network_feature_support = None
    return message


@fault("D3", "mme NAS", of=(nas.AttachAccept,))
def eps_only(message: nas.AttachAccept, peer: str) -> Outcome:
    """The MME accepts a combined attach for packets only, without SMS."""
    message.eps_attach_result = EpsAttachResult.EPS_ONLY
    return message


@fault("D6", "hss S6a", of=(UpdateLocationAnswer,))
def no_ims_apn(message: UpdateLocationAnswer, peer: str) -> Outcome:
    """The subscription has no APN ims."""
    data = message.subscription_data
    if data is not None and data.apn_configuration_profile is not None:
        profile = data.apn_configuration_profile
        profile.apn_configuration = tuple(one for one in profile.apn_configuration if one.service_selection != "ims")
    return message


def _with_p_cscf(message: nas.ActivateDefaultEPSBearerContextRequest, *told: tuple[int, bytes]) -> Outcome:
    """The options of an IMS bearer with other P-CSCFs than ours."""
    options = message.protocol_configuration_options
    if options is not None and any(number in P_CSCFS for number, _ in options.containers):
        kept = [one for one in options.containers if one[0] not in P_CSCFS]
        message.protocol_configuration_options = ProtocolConfigurationOptions([*kept, *told])
    return message


@fault("D7", "mme NAS", of=(nas.ActivateDefaultEPSBearerContextRequest,))
def no_p_cscf(message: nas.ActivateDefaultEPSBearerContextRequest, peer: str) -> Outcome:
    """The network names no P-CSCF."""
    return _with_p_cscf(message)


@fault("D7", "mme NAS", of=(nas.ActivateDefaultEPSBearerContextRequest,))
def p_cscf_at_loopback(message: nas.ActivateDefaultEPSBearerContextRequest, peer: str) -> Outcome:
    """The network names a P-CSCF that is at 127.0.2.1."""
    return _with_p_cscf(message, (Id.P_CSCF_IPV4, bytes((127, 0, 2, 1))))


@fault("D8", "mme NAS", of=(nas.ActivateDefaultEPSBearerContextRequest,))
def p_cscf_ipv6_only(message: nas.ActivateDefaultEPSBearerContextRequest, peer: str) -> Outcome:
    """The network names an IPv6 P-CSCF to a phone with an IPv4 address."""
    return _with_p_cscf(message, (Id.P_CSCF_IPV6, IPv6Address("2001:db8::5060").packed))


@fault("D8", "mme NAS", of=(nas.ActivateDefaultEPSBearerContextRequest,))
def p_cscf_ipv4_only(message: nas.ActivateDefaultEPSBearerContextRequest, peer: str) -> Outcome:
    """The network names an IPv4 P-CSCF only, to a phone with addresses of both versions."""
    options = message.protocol_configuration_options
    found = options.p_cscf_ipv4 if options is not None else []
    return _with_p_cscf(message, *((Id.P_CSCF_IPV4, one.packed) for one in found))


@fault("D10", "ims-* Gm", of=(sip.SipMessage,))
def p_cscf_without_tcp(message: sip.SipMessage, peer: str) -> Outcome:
    """The P-CSCF does not listen on TCP."""
    return Refused(PeerDown("Gm", peer, "no connection: refused")) if peer.startswith("tcp:") else message


@fault("D13", "pcscf Mw", of=(sip.RegisterRequest,))
def no_visited_network(message: sip.RegisterRequest, peer: str) -> Outcome:
    """The P-CSCF does not say where the phone is."""
    message.remove("P-Visited-Network-ID")
    return message


@fault("D14", "pcscf Gm", of=(sip.RegisterResponse,))
def challenge_lost(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The challenge never reaches the phone."""
    return Fate.LOST if message.status == 401 else message


@fault("D15", "scscf Cx", of=(MultimediaAuthRequest,))
def resynchronisation_ignored(message: MultimediaAuthRequest, peer: str) -> Outcome:
    """The S-CSCF keeps to itself what the card says of its sequence number."""
    message.sip_auth_data_item = replace(message.sip_auth_data_item, sip_authorization=None)
    return message


@fault("D16", "pcscf Gm", of=(sip.RegisterResponse,))
def no_security_server(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The P-CSCF has no SAs left, and challenges without Security-Server."""
    message.remove("Security-Server")
    return message


@fault("D17", "pcscf Gm", of=(sip.RegisterResponse,))
def stale_algorithm(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The P-CSCF chooses an algorithm of an earlier offer, which this one does not have."""
    if (said := message.first("Security-Server")) is not None:
        message.set("Security-Server", said.replace("sha-1-96", "sha-256-128").replace("md5-96", "sha-256-128"))
    return message


@fault("D19", "pcscf Gm", of=(sip.RegisterResponse,))
def no_sa_outwards(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The P-CSCF's kernel has no policy for what leaves its protected ports, and sends none of it."""
    if not message.final or message.status == 401:
        return message
    return Refused(EspRefused("XfrmOutPolBlock", 1, "a packet from a protected port without an SA: not sent in plain "
                              "text", Flow.parse(peer).host))


@fault("D22", "pcscf Gm", of=(sip.RegisterResponse,))
def acceptance_lost(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The 200 to REGISTER leaves from another port than the phone has an SA for."""
    return Fate.LOST if message.status == 200 else message


@fault("D23", "scscf Mw", of=(sip.RegisterResponse,))
def registrar_wants_long(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The registrar grants nothing below a hundred days."""
    if message.status in (200, 401):
        message.status, message.reason = 423, "Interval Too Brief"
        message.set("Min-Expires", "8640000")
    return message


@fault("D24", "pcscf Gm", of=(sip.RegisterResponse,))
def gated_on_qos(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The P-CSCF refuses a registration because it gets no bearer for signalling over Rx."""
    if message.status == 200:
        message.status, message.reason = 403, "Can't register to QoS for signalling"
        message.remove("Contact")
    return message


@fault("D26", "pcscf Gm", of=(sip.NotifyRequest,))
def notify_in_clear(message: sip.NotifyRequest, peer: str) -> Outcome:
    """NOTIFY goes past the SAs, and the phone drops it."""
    return Fate.LOST


@fault("D26", "pcscf Gm", of=(sip.RegisterResponse,))
def foreign_identity(message: sip.RegisterResponse, peer: str) -> Outcome:
    """The first identity of P-Associated-URI is one that the registrar does not know."""
    if message.status == 200 and message.has("P-Associated-URI"):
        domain = message.to.uri.partition("@")[2]
        message.prepend("P-Associated-URI", f"<sip:+15550199@{domain}>")
    return message


@fault("D28", "pcscf Rx", of=(AARequest,))
def no_media_authorisation(message: AARequest, peer: str) -> Outcome:
    """The P-CSCF never asks for a bearer for a call."""
    return Fate.UNSENT


@fault("D29", "mme NAS", of=(nas.ActivateDedicatedEPSBearerContextRequest,))
def filters_of_another_call(message: nas.ActivateDedicatedEPSBearerContextRequest, peer: str) -> Outcome:
    """The packet filters of the voice bearer name other ports than the call has."""
    tft = Tft.from_bytes(message.tft)
    moved = tuple(replace(one, local_ports=_moved(one.local_ports), remote_ports=_moved(one.remote_ports))
                  for one in tft.filters)
    message.tft = replace(tft, filters=moved).to_bytes()
    return message


def _moved(ports: tuple[int, int] | None) -> tuple[int, int] | None:
    return None if ports is None else (ports[0] + 1000, ports[1] + 1000)


@fault("D30", "mme S11", "mme NAS", of=(BearerResourceCommand, nas.BearerResourceModificationReject))
def no_bearer_changes(message: BearerResourceCommand | nas.BearerResourceModificationReject, peer: str) -> Outcome:
    """The network does not know of phones that change their bearers."""
    if isinstance(message, BearerResourceCommand):
        return Fate.LOST
    message.esm_cause = EsmCause.SERVICE_OPTION_NOT_SUPPORTED
    return message


@fault("D31", "pcscf Gm", of=(sip.ByeRequest,))
def bye_over_a_dead_connection(message: sip.ByeRequest, peer: str) -> Outcome:
    """BYE goes to the phone by a TCP connection that is dead."""
    return Fate.LOST


@fault("D32", "pcscf Gm", of=(sip.InviteRequest,))
def phone_without_tcp(message: sip.InviteRequest, peer: str) -> Outcome:
    """Long INVITEs do not reach the phone: it takes no TCP connections, and no fragments over UDP."""
    return Refused(PeerDown("Gm", peer, "no connection: refused")) if peer.startswith("tcp:") else Fate.LOST


@fault("D34", "pcscf Mw", of=(sip.MessageRequest,))
def texts_by_address(message: sip.MessageRequest, peer: str) -> Outcome:
    """The network sends a text to what the card names as its SMS centre, and does not look at what it is."""
    if message.content_type == CONTAINER and message.has("P-Asserted-Identity"):
        message.set("Content-Type", "application/octet-stream")
    return message


@fault("D36", "pcscf Gm", of=(sip.MessageRequest,))
def report_of_another_text(message: sip.MessageRequest, peer: str) -> Outcome:
    """The SMS centre's RP-ACK names another text than the phone's."""
    try:
        report = rp.decode(message.body)
    except ProtocolError:
        return message
    if isinstance(report, RPAck) and not report.uplink:
        report.reference ^= 0x55
        message.body = rp.encode(report)
    return message
