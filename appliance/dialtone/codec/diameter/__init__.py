# SPDX-License-Identifier: Apache-2.0
"""Diameter (RFC 6733), S6a (TS 29.272), Cx (TS 29.229) and Rx (TS 29.214).

`decode(octets)` gives a message, `encode(message)` its octets; `frame_length` finds messages in a TCP stream.
Each command is a class whose fields are its format in the specification; see table.py for the notation and
dictionary.py for the AVPs.
"""

from collections.abc import Iterator
from struct import Struct

from dialtone.codec.diameter.base import (
    CapabilitiesExchangeAnswer,
    CapabilitiesExchangeRequest,
    DeviceWatchdogAnswer,
    DeviceWatchdogRequest,
    DisconnectPeerAnswer,
    DisconnectPeerRequest,
)
from dialtone.codec.diameter.cx import (
    CX,
    LocationInfoAnswer,
    LocationInfoRequest,
    MultimediaAuthAnswer,
    MultimediaAuthRequest,
    PushProfileAnswer,
    PushProfileRequest,
    RegistrationTerminationAnswer,
    RegistrationTerminationRequest,
    ServerAssignmentAnswer,
    ServerAssignmentRequest,
    UserAuthorizationAnswer,
    UserAuthorizationRequest,
)
from dialtone.codec.diameter.cx_data import (
    AssignmentType,
    AssociatedIdentities,
    AssociatedRegisteredIdentities,
    AuthorizationType,
    ChargingInformation,
    DeregistrationReason,
    IdentityWithEmergencyRegistration,
    ReasonCode,
    RestorationInfo,
    ScscfRestorationInfo,
    ServerCapabilities,
    SipAuthDataItem,
    SipDigestAuthenticate,
    SubscriptionInfo,
)
from dialtone.codec.diameter.dictionary import AVPS, TGPP
from dialtone.codec.diameter.errors import CxResult, DiameterError, ExperimentalResultCode, Header, ResultCode
from dialtone.codec.diameter.grouped import (
    ActiveApn,
    AllocationRetentionPriority,
    Ambr,
    ApnConfiguration,
    ApnConfigurationProfile,
    AuthenticationInfo,
    EpsLocationInformation,
    EpsSubscribedQosProfile,
    EpsUserState,
    EquivalentPlmnList,
    EutranVector,
    ExperimentalResult,
    LocalTimeZone,
    Mip6AgentInfo,
    MipHomeAgentHost,
    MmeLocationInformation,
    MmeUserState,
    ProxyInfo,
    RequestedEutranAuthenticationInfo,
    RequestedUtranGeranAuthenticationInfo,
    SpecificApnInfo,
    SubscriptionData,
    SubscriptionDataDeletion,
    SupportedFeatures,
    TerminalInformation,
    VendorSpecificApplicationId,
)
from dialtone.codec.diameter.rx import (
    RX,
    AAAnswer,
    AARequest,
    AbortSessionAnswer,
    AbortSessionRequest,
    ReAuthAnswer,
    ReAuthRequest,
    RxAnswer,
    RxResult,
    SessionTerminationAnswer,
    SessionTerminationRequest,
)
from dialtone.codec.diameter.rx_media import (
    AbortCause,
    AcceptableServiceInfo,
    AccessNetworkChargingIdentifier,
    Flows,
    FlowStatus,
    FlowUsage,
    MediaComponentDescription,
    MediaSubComponent,
    MediaType,
    SpecificAction,
    SubscriptionId,
)
from dialtone.codec.diameter.s6a import (
    S6A,
    AuthenticationInformationAnswer,
    AuthenticationInformationRequest,
    CancelLocationAnswer,
    CancelLocationRequest,
    DeleteSubscriberDataAnswer,
    DeleteSubscriberDataRequest,
    InsertSubscriberDataAnswer,
    InsertSubscriberDataRequest,
    NotifyAnswer,
    NotifyRequest,
    PurgeUEAnswer,
    PurgeUERequest,
    ResetAnswer,
    ResetRequest,
    UpdateLocationAnswer,
    UpdateLocationRequest,
)
from dialtone.codec.diameter.session import NO_STATE_MAINTAINED, SessionAnswer, SessionRequest
from dialtone.codec.diameter.sgd import (
    SGD,
    AlertServiceCentreAnswer,
    AlertServiceCentreRequest,
    DeliveryFailure,
    MOForwardShortMessageAnswer,
    MOForwardShortMessageRequest,
    MTForwardShortMessageAnswer,
    MTForwardShortMessageRequest,
    SgdResult,
    SmDeliveryFailureCause,
    UserIdentifier,
)
from dialtone.codec.diameter.table import COMMANDS, Avps, DiameterMessage, UnknownAvp, decoder, encoder, raw_avp

_HEADER = Struct(">IIIII")
_REQUEST, _PROXIABLE, _ERROR, _RETRANSMIT = 0x80, 0x40, 0x20, 0x10
_LONGEST = 1 << 20  # octets; a stranger's length field must not fill our memory


def frame_length(buffer: bytes) -> int | None:
    """How many octets the first message of a stream has, None before its first four octets are here.

    Raises DiameterError when no message starts here; the connection must then be closed.
    """
    if len(buffer) < 4:
        return None
    if buffer[0] != 1:
        raise DiameterError(
            f"Diameter version {buffer[0]}", cause=ResultCode.DIAMETER_UNSUPPORTED_VERSION, clause="RFC 6733, 3"
        )
    length = int.from_bytes(buffer[1:4], "big")
    if length < 20 or length & 3 or length > _LONGEST:
        raise DiameterError(
            f"a message of {length} octets", cause=ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH, clause="RFC 6733, 3"
        )
    return length


def read_header(data: bytes) -> Header:
    """The header of one whole message. Raises DiameterError without a header: close the connection."""
    if frame_length(data) != len(data):
        raise DiameterError(
            f"the header does not announce {len(data)} octets",
            cause=ResultCode.DIAMETER_INVALID_MESSAGE_LENGTH, clause="RFC 6733, 3",
        )  # fmt: skip
    _, flags_command, application_id, hop_by_hop, end_to_end = _HEADER.unpack_from(data)
    return Header(flags_command >> 24, flags_command & 0xFFFFFF, application_id, hop_by_hop, end_to_end)


def warm_up() -> Iterator[None]:
    """Make the functions of all messages, one message a step, before the first phone needs them."""
    for cls in COMMANDS.values():
        decoder(cls)
        encoder(cls)
        yield


def decode(data: bytes) -> DiameterMessage:
    """One message, all of `data`.

    Raises DiameterError; `refusal` builds the answer to a request that is refused.
    """
    header = read_header(data)
    flags, code, application_id, hop_by_hop, end_to_end = header
    try:
        cls = COMMANDS.get((code, application_id, flags >= _REQUEST))
        if cls is None:
            raise _unsupported(header)
        if flags & (_REQUEST | _ERROR) == _REQUEST | _ERROR:
            raise DiameterError(
                "a request with the E bit", cause=ResultCode.DIAMETER_INVALID_HDR_BITS, clause="RFC 6733, 7.1.3"
            )
        message = object.__new__(cls)
        message.hop_by_hop = hop_by_hop
        message.end_to_end = end_to_end
        message.proxiable = flags & _PROXIABLE != 0
        message.error = flags & _ERROR != 0
        message.retransmit = flags & _RETRANSMIT != 0
        decoder(cls)(message, data, 20, len(data), cls.REQUEST)
    except DiameterError as fault:
        fault.header = header
        raise
    return message


def encode(message: DiameterMessage) -> bytes:
    """The octets of a message. A value that does not fit its AVP is our own mistake: ValueError or struct.error."""
    body = encoder(type(message))(message)
    flags = (
        (_REQUEST if message.REQUEST else 0) | (_PROXIABLE if message.proxiable else 0)
        | (_ERROR if message.error else 0) | (_RETRANSMIT if message.retransmit else 0)
    )  # fmt: skip
    return _HEADER.pack(
        1 << 24 | 20 + len(body), flags << 24 | message.COMMAND, message.APPLICATION_ID,
        message.hop_by_hop, message.end_to_end,
    ) + body  # fmt: skip


def refusal(data: bytes, fault: DiameterError, origin_host: str, origin_realm: str) -> bytes | None:
    """The answer to the request `data` that `decode` refused (RFC 6733, 6.2 and 7.2); None where none is due.

    Session-Id and Proxy-Info are copied as far as they can be read; the E bit is set for protocol errors (3xxx).
    """
    header, cause = fault.header, fault.cause or ResultCode.DIAMETER_UNABLE_TO_COMPLY
    if header is None or not header.request:
        return None
    avps = _readable(data)
    session = [avp for avp in avps[:1] if avp.code == AVPS["Session-Id"].code and not avp.vendor]
    proxies = [avp for avp in avps if avp.code == AVPS["Proxy-Info"].code and not avp.vendor]
    said = [("Result-Code", cause.to_bytes(4, "big")), ("Origin-Host", origin_host.encode()),
            ("Origin-Realm", origin_realm.encode()), ("Error-Message", fault.text.encode())]  # fmt: skip
    if fault.failed_avp:
        said.append(("Failed-AVP", fault.failed_avp))
    ours = [UnknownAvp(AVPS[name].code, 0, 0x40 if AVPS[name].mandatory else 0, value) for name, value in said]
    body = b"".join(map(raw_avp, session + ours + proxies))
    flags = header.flags & _PROXIABLE | (_ERROR if 3000 <= cause < 4000 else 0)
    return _HEADER.pack(
        1 << 24 | 20 + len(body), flags << 24 | header.command, header.application_id,
        header.hop_by_hop, header.end_to_end,
    ) + body  # fmt: skip


def avps(octets: bytes) -> tuple[UnknownAvp, ...]:
    """The AVPs in the octets of a Grouped AVP, such as Failed-AVP. Raises DiameterError (5014)."""
    group = object.__new__(Avps)
    decoder(Avps)(group, octets, 0, len(octets), False)
    return group.unknown


def _readable(data: bytes) -> tuple[UnknownAvp, ...]:
    """The AVPs of a refused message that come before the first one that cannot be delimited."""
    group = object.__new__(Avps)
    try:
        decoder(Avps)(group, data, 20, len(data), False)
    except DiameterError:
        return group.unknown
    return group.unknown


def _unsupported(header: Header) -> DiameterError:
    if any(application_id == header.application_id for _, application_id, _ in COMMANDS):
        return DiameterError(
            f"command {header.command} is not served", cause=ResultCode.DIAMETER_COMMAND_UNSUPPORTED,
            clause="RFC 6733, 7.1.3",
        )  # fmt: skip
    return DiameterError(
        f"application {header.application_id} is not served", cause=ResultCode.DIAMETER_APPLICATION_UNSUPPORTED,
        clause="RFC 6733, 7.1.3",
    )  # fmt: skip


__all__ = [
    "AVPS",
    "COMMANDS",
    "CX",
    "NO_STATE_MAINTAINED",
    "RX",
    "S6A",
    "SGD",
    "TGPP",
    "AAAnswer",
    "AARequest",
    "AbortCause",
    "AbortSessionAnswer",
    "AbortSessionRequest",
    "AcceptableServiceInfo",
    "AccessNetworkChargingIdentifier",
    "ActiveApn",
    "AlertServiceCentreAnswer",
    "AlertServiceCentreRequest",
    "AllocationRetentionPriority",
    "Ambr",
    "ApnConfiguration",
    "ApnConfigurationProfile",
    "AssignmentType",
    "AssociatedIdentities",
    "AssociatedRegisteredIdentities",
    "AuthenticationInfo",
    "AuthenticationInformationAnswer",
    "AuthenticationInformationRequest",
    "AuthorizationType",
    "CancelLocationAnswer",
    "CancelLocationRequest",
    "CapabilitiesExchangeAnswer",
    "CapabilitiesExchangeRequest",
    "ChargingInformation",
    "CxResult",
    "DeleteSubscriberDataAnswer",
    "DeleteSubscriberDataRequest",
    "DeliveryFailure",
    "DeregistrationReason",
    "DeviceWatchdogAnswer",
    "DeviceWatchdogRequest",
    "DiameterError",
    "DiameterMessage",
    "DisconnectPeerAnswer",
    "DisconnectPeerRequest",
    "EpsLocationInformation",
    "EpsSubscribedQosProfile",
    "EpsUserState",
    "EquivalentPlmnList",
    "EutranVector",
    "ExperimentalResult",
    "ExperimentalResultCode",
    "FlowStatus",
    "FlowUsage",
    "Flows",
    "Header",
    "IdentityWithEmergencyRegistration",
    "InsertSubscriberDataAnswer",
    "InsertSubscriberDataRequest",
    "LocalTimeZone",
    "LocationInfoAnswer",
    "LocationInfoRequest",
    "MOForwardShortMessageAnswer",
    "MOForwardShortMessageRequest",
    "MTForwardShortMessageAnswer",
    "MTForwardShortMessageRequest",
    "MediaComponentDescription",
    "MediaSubComponent",
    "MediaType",
    "Mip6AgentInfo",
    "MipHomeAgentHost",
    "MmeLocationInformation",
    "MmeUserState",
    "MultimediaAuthAnswer",
    "MultimediaAuthRequest",
    "NotifyAnswer",
    "NotifyRequest",
    "ProxyInfo",
    "PurgeUEAnswer",
    "PurgeUERequest",
    "PushProfileAnswer",
    "PushProfileRequest",
    "ReAuthAnswer",
    "ReAuthRequest",
    "ReasonCode",
    "RegistrationTerminationAnswer",
    "RegistrationTerminationRequest",
    "RequestedEutranAuthenticationInfo",
    "RequestedUtranGeranAuthenticationInfo",
    "ResetAnswer",
    "ResetRequest",
    "RestorationInfo",
    "ResultCode",
    "RxAnswer",
    "RxResult",
    "ScscfRestorationInfo",
    "ServerAssignmentAnswer",
    "ServerAssignmentRequest",
    "ServerCapabilities",
    "SessionAnswer",
    "SessionRequest",
    "SessionTerminationAnswer",
    "SessionTerminationRequest",
    "SgdResult",
    "SipAuthDataItem",
    "SipDigestAuthenticate",
    "SmDeliveryFailureCause",
    "SpecificAction",
    "SpecificApnInfo",
    "SubscriptionData",
    "SubscriptionDataDeletion",
    "SubscriptionId",
    "SubscriptionInfo",
    "SupportedFeatures",
    "TerminalInformation",
    "UnknownAvp",
    "UpdateLocationAnswer",
    "UpdateLocationRequest",
    "UserAuthorizationAnswer",
    "UserAuthorizationRequest",
    "UserIdentifier",
    "VendorSpecificApplicationId",
    "avps",
    "decode",
    "encode",
    "frame_length",
    "raw_avp",
    "read_header",
    "refusal",
    "warm_up",
]
