# SPDX-License-Identifier: Apache-2.0
"""Grouped AVPs and enumerations of Cx (TS 29.229, 6.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from dialtone.codec.diameter.table import Avps


class AuthorizationType(IntEnum):
    """User-Authorization-Type (6.3.24): what the I-CSCF wants to know."""

    REGISTRATION = 0
    DE_REGISTRATION = 1
    REGISTRATION_AND_CAPABILITIES = 2


class AssignmentType(IntEnum):
    """Server-Assignment-Type (6.3.15): what happened at the S-CSCF."""

    NO_ASSIGNMENT = 0
    REGISTRATION = 1
    RE_REGISTRATION = 2
    UNREGISTERED_USER = 3
    TIMEOUT_DEREGISTRATION = 4
    USER_DEREGISTRATION = 5
    TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME = 6
    USER_DEREGISTRATION_STORE_SERVER_NAME = 7
    ADMINISTRATIVE_DEREGISTRATION = 8
    AUTHENTICATION_FAILURE = 9
    AUTHENTICATION_TIMEOUT = 10
    DEREGISTRATION_TOO_MUCH_DATA = 11
    AAA_USER_DATA_REQUEST = 12
    PGW_UPDATE = 13
    RESTORATION = 14


class ReasonCode(IntEnum):
    """Reason-Code (6.3.17): why a registration is ended by the network."""

    PERMANENT_TERMINATION = 0
    NEW_SERVER_ASSIGNED = 1
    SERVER_CHANGE = 2
    REMOVE_S_CSCF = 3


@dataclass(slots=True, kw_only=True)
class ServerCapabilities(Avps):
    """TS 29.229, 6.3.4: what an S-CSCF must have to be chosen, or which ones may be."""

    mandatory_capability: Annotated[tuple[int, ...], "* [ Mandatory-Capability ]"] = ()
    optional_capability: Annotated[tuple[int, ...], "* [ Optional-Capability ]"] = ()
    server_name: Annotated[tuple[str, ...], "* [ Server-Name ]"] = ()


@dataclass(slots=True, kw_only=True)
class SipDigestAuthenticate(Avps):
    """TS 29.229, 6.3.36: authentication by a password, of which this is the digest."""

    digest_realm: Annotated[str, "{ Digest-Realm }"]
    digest_algorithm: Annotated[str | None, "[ Digest-Algorithm ]"] = None
    digest_qop: Annotated[str, "{ Digest-Qop }"]
    digest_ha1: Annotated[str, "{ Digest-HA1 }"]


@dataclass(slots=True, kw_only=True)
class SipAuthDataItem(Avps):
    """TS 29.229, 6.3.13. Of AKA in an answer: `sip_authenticate` is RAND and AUTN (32 octets), `sip_authorization` is
    XRES, and the keys have 16 octets. In a request that resynchronises `sip_authorization` is RAND and AUTS (30)."""

    sip_item_number: Annotated[int | None, "[ 3GPP-SIP-Item-Number ]"] = None
    sip_authentication_scheme: Annotated[str | None, "[ 3GPP-SIP-Authentication-Scheme ]"] = None
    sip_authenticate: Annotated[bytes | None, "[ 3GPP-SIP-Authenticate ]"] = None
    sip_authorization: Annotated[bytes | None, "[ 3GPP-SIP-Authorization ]"] = None
    sip_authentication_context: Annotated[bytes | None, "[ SIP-Authentication-Context ]"] = None
    confidentiality_key: Annotated[bytes | None, "[ Confidentiality-Key ]"] = None
    integrity_key: Annotated[bytes | None, "[ Integrity-Key ]"] = None
    sip_digest_authenticate: Annotated[SipDigestAuthenticate | None, "[ SIP-Digest-Authenticate ]"] = None
    framed_ip_address: Annotated[bytes | None, "[ Framed-IP-Address ]"] = None
    framed_ipv6_prefix: Annotated[bytes | None, "[ Framed-IPv6-Prefix ]"] = None


@dataclass(slots=True, kw_only=True)
class DeregistrationReason(Avps):
    """TS 29.229, 6.3.16; `reason_info` is text for the user."""

    reason_code: Annotated[int, "{ Reason-Code }"]
    reason_info: Annotated[str | None, "[ Reason-Info ]"] = None


@dataclass(slots=True, kw_only=True)
class ChargingInformation(Avps):
    """TS 29.229, 6.3.19."""

    primary_event_charging_function_name: Annotated[
        str | None, "[ Primary-Event-Charging-Function-Name ]"
    ] = None
    secondary_event_charging_function_name: Annotated[
        str | None, "[ Secondary-Event-Charging-Function-Name ]"
    ] = None
    primary_charging_collection_function_name: Annotated[
        str | None, "[ Primary-Charging-Collection-Function-Name ]"
    ] = None
    secondary_charging_collection_function_name: Annotated[
        str | None, "[ Secondary-Charging-Collection-Function-Name ]"
    ] = None


@dataclass(slots=True, kw_only=True)
class AssociatedIdentities(Avps):
    """TS 29.229, 6.3.33: the private identities of an IMS subscription."""

    user_name: Annotated[tuple[str, ...], "* [ User-Name ]"] = ()


@dataclass(slots=True, kw_only=True)
class AssociatedRegisteredIdentities(Avps):
    """TS 29.229, 6.3.50: the private identities with which a public one is registered."""

    user_name: Annotated[tuple[str, ...], "* [ User-Name ]"] = ()


@dataclass(slots=True, kw_only=True)
class IdentityWithEmergencyRegistration(Avps):
    """TS 29.229, 6.3.57."""

    user_name: Annotated[str, "{ User-Name }"]
    public_identity: Annotated[str, "{ Public-Identity }"]


@dataclass(slots=True, kw_only=True)
class SubscriptionInfo(Avps):
    """TS 29.229, 6.3.45: the dialog in which the phone hears of its registration."""

    call_id_sip_header: Annotated[bytes, "{ Call-ID-SIP-Header }"]
    from_sip_header: Annotated[bytes, "{ From-SIP-Header }"]
    to_sip_header: Annotated[bytes, "{ To-SIP-Header }"]
    record_route: Annotated[bytes, "{ Record-Route }"]
    contact: Annotated[bytes, "{ Contact }"]


@dataclass(slots=True, kw_only=True)
class RestorationInfo(Avps):
    """TS 29.229, 6.3.52: a contact as the S-CSCF wants to have it back after a restart."""

    path: Annotated[bytes, "{ Path }"]
    contact: Annotated[bytes, "{ Contact }"]
    initial_cseq_sequence_number: Annotated[int | None, "[ Initial-CSeq-Sequence-Number ]"] = None
    call_id_sip_header: Annotated[bytes | None, "[ Call-ID-SIP-Header ]"] = None
    subscription_info: Annotated[SubscriptionInfo | None, "[ Subscription-Info ]"] = None


@dataclass(slots=True, kw_only=True)
class ScscfRestorationInfo(Avps):
    """TS 29.229, 6.3.39."""

    user_name: Annotated[str, "{ User-Name }"]
    restoration_info: Annotated[tuple[RestorationInfo, ...], "1* { Restoration-Info }"]
    sip_authentication_scheme: Annotated[str | None, "[ 3GPP-SIP-Authentication-Scheme ]"] = None
