# SPDX-License-Identifier: Apache-2.0
"""Commands of Cx between a CSCF and the HSS (TS 29.229, 6.1), application 16777216."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.diameter.cx_data import (
    AssociatedIdentities,
    AssociatedRegisteredIdentities,
    ChargingInformation,
    DeregistrationReason,
    IdentityWithEmergencyRegistration,
    ScscfRestorationInfo,
    ServerCapabilities,
    SipAuthDataItem,
)
from dialtone.codec.diameter.grouped import SupportedFeatures
from dialtone.codec.diameter.session import SessionAnswer, SessionRequest
from dialtone.codec.diameter.table import command

CX = 16777216


@dataclass(slots=True, kw_only=True)
class CxRequest(SessionRequest):
    """What all requests have."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()


@dataclass(slots=True, kw_only=True)
class CxAnswer(SessionAnswer):
    """What all answers have."""

    supported_features: Annotated[tuple[SupportedFeatures, ...], "* [ Supported-Features ]"] = ()


@command(300, CX, "User-Authorization Request", "TS 29.229, 6.1.1")
@dataclass(slots=True, kw_only=True)
class UserAuthorizationRequest(CxRequest):
    """A REGISTER came to the I-CSCF: may this user, and which S-CSCF is it for?"""

    user_name: Annotated[str, "{ User-Name }"]
    public_identity: Annotated[str, "{ Public-Identity }"]
    visited_network_identifier: Annotated[bytes, "{ Visited-Network-Identifier }"]
    user_authorization_type: Annotated[int | None, "[ User-Authorization-Type ]"] = None
    uar_flags: Annotated[int | None, "[ UAR-Flags ]"] = None


@command(300, CX, "User-Authorization Answer", "TS 29.229, 6.1.2")
@dataclass(slots=True, kw_only=True)
class UserAuthorizationAnswer(CxAnswer):
    """The S-CSCF that has the user, or what one must have."""

    server_name: Annotated[str | None, "[ Server-Name ]"] = None
    server_capabilities: Annotated[ServerCapabilities | None, "[ Server-Capabilities ]"] = None


@command(301, CX, "Server-Assignment Request", "TS 29.229, 6.1.3")
@dataclass(slots=True, kw_only=True)
class ServerAssignmentRequest(CxRequest):
    """The S-CSCF has a user from now on, or no longer; `server_assignment_type` says which."""

    user_name: Annotated[str | None, "[ User-Name ]"] = None
    public_identity: Annotated[tuple[str, ...], "* [ Public-Identity ]"] = ()
    wildcarded_public_identity: Annotated[str | None, "[ Wildcarded-IMPU ]"] = None
    server_name: Annotated[str, "{ Server-Name }"]
    server_assignment_type: Annotated[int, "{ Server-Assignment-Type }"]
    user_data_already_available: Annotated[int, "{ User-Data-Already-Available }"]
    scscf_restoration_info: Annotated[ScscfRestorationInfo | None, "[ SCSCF-Restoration-Info ]"] = None
    multiple_registration_indication: Annotated[int | None, "[ Multiple-Registration-Indication ]"] = None
    session_priority: Annotated[int | None, "[ Session-Priority ]"] = None
    sar_flags: Annotated[int | None, "[ SAR-Flags ]"] = None


@command(301, CX, "Server-Assignment Answer", "TS 29.229, 6.1.4")
@dataclass(slots=True, kw_only=True)
class ServerAssignmentAnswer(CxAnswer):
    """The user's profile; `user_data` is the document of codec/ims_subscription.py."""

    user_name: Annotated[str | None, "[ User-Name ]"] = None
    user_data: Annotated[bytes | None, "[ Cx-User-Data ]"] = None
    charging_information: Annotated[ChargingInformation | None, "[ Charging-Information ]"] = None
    associated_identities: Annotated[AssociatedIdentities | None, "[ Associated-Identities ]"] = None
    loose_route_indication: Annotated[int | None, "[ Loose-Route-Indication ]"] = None
    scscf_restoration_info: Annotated[tuple[ScscfRestorationInfo, ...], "* [ SCSCF-Restoration-Info ]"] = ()
    associated_registered_identities: Annotated[
        AssociatedRegisteredIdentities | None, "[ Associated-Registered-Identities ]"
    ] = None
    server_name: Annotated[str | None, "[ Server-Name ]"] = None
    wildcarded_public_identity: Annotated[str | None, "[ Wildcarded-IMPU ]"] = None
    privileged_sender_indication: Annotated[int | None, "[ Priviledged-Sender-Indication ]"] = None


@command(302, CX, "Location-Info Request", "TS 29.229, 6.1.5")
@dataclass(slots=True, kw_only=True)
class LocationInfoRequest(CxRequest):
    """A request for a user came to the I-CSCF: which S-CSCF has it?"""

    originating_request: Annotated[int | None, "[ Originating-Request ]"] = None
    public_identity: Annotated[str, "{ Public-Identity }"]
    user_authorization_type: Annotated[int | None, "[ User-Authorization-Type ]"] = None
    session_priority: Annotated[int | None, "[ Session-Priority ]"] = None


@command(302, CX, "Location-Info Answer", "TS 29.229, 6.1.6")
@dataclass(slots=True, kw_only=True)
class LocationInfoAnswer(CxAnswer):
    """The S-CSCF that has the user, or what one must have to serve it unregistered."""

    server_name: Annotated[str | None, "[ Server-Name ]"] = None
    server_capabilities: Annotated[ServerCapabilities | None, "[ Server-Capabilities ]"] = None
    wildcarded_public_identity: Annotated[str | None, "[ Wildcarded-IMPU ]"] = None
    lia_flags: Annotated[int | None, "[ LIA-Flags ]"] = None


@command(303, CX, "Multimedia-Auth Request", "TS 29.229, 6.1.7")
@dataclass(slots=True, kw_only=True)
class MultimediaAuthRequest(CxRequest):
    """The S-CSCF asks for authentication vectors, or resynchronizes."""

    user_name: Annotated[str, "{ User-Name }"]
    public_identity: Annotated[str, "{ Public-Identity }"]
    sip_auth_data_item: Annotated[SipAuthDataItem, "{ 3GPP-SIP-Auth-Data-Item }"]
    sip_number_auth_items: Annotated[int, "{ 3GPP-SIP-Number-Auth-Items }"]
    server_name: Annotated[str, "{ Server-Name }"]


@command(303, CX, "Multimedia-Auth Answer", "TS 29.229, 6.1.8")
@dataclass(slots=True, kw_only=True)
class MultimediaAuthAnswer(CxAnswer):
    """The vectors, to be used in the order of their item numbers."""

    user_name: Annotated[str | None, "[ User-Name ]"] = None
    public_identity: Annotated[str | None, "[ Public-Identity ]"] = None
    sip_number_auth_items: Annotated[int | None, "[ 3GPP-SIP-Number-Auth-Items ]"] = None
    sip_auth_data_item: Annotated[tuple[SipAuthDataItem, ...], "* [ 3GPP-SIP-Auth-Data-Item ]"] = ()


@command(304, CX, "Registration-Termination Request", "TS 29.229, 6.1.9")
@dataclass(slots=True, kw_only=True)
class RegistrationTerminationRequest(CxRequest):
    """The HSS ends registrations: of these public identities, or of all that the private one has."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    user_name: Annotated[str, "{ User-Name }"]
    associated_identities: Annotated[AssociatedIdentities | None, "[ Associated-Identities ]"] = None
    public_identity: Annotated[tuple[str, ...], "* [ Public-Identity ]"] = ()
    deregistration_reason: Annotated[DeregistrationReason, "{ Deregistration-Reason }"]


@command(304, CX, "Registration-Termination Answer", "TS 29.229, 6.1.10")
@dataclass(slots=True, kw_only=True)
class RegistrationTerminationAnswer(CxAnswer):
    """Ended, save those with an emergency registration."""

    associated_identities: Annotated[AssociatedIdentities | None, "[ Associated-Identities ]"] = None
    identity_with_emergency_registration: Annotated[
        tuple[IdentityWithEmergencyRegistration, ...], "* [ Identity-with-Emergency-Registration ]"
    ] = ()


@command(305, CX, "Push-Profile Request", "TS 29.229, 6.1.11")
@dataclass(slots=True, kw_only=True)
class PushProfileRequest(CxRequest):
    """The user's profile has changed: the whole of it, new."""

    destination_host: Annotated[str, "{ Destination-Host }"]
    user_name: Annotated[str, "{ User-Name }"]
    user_data: Annotated[bytes | None, "[ Cx-User-Data ]"] = None
    charging_information: Annotated[ChargingInformation | None, "[ Charging-Information ]"] = None
    sip_auth_data_item: Annotated[SipAuthDataItem | None, "[ 3GPP-SIP-Auth-Data-Item ]"] = None


@command(305, CX, "Push-Profile Answer", "TS 29.229, 6.1.12")
@dataclass(slots=True, kw_only=True)
class PushProfileAnswer(CxAnswer):
    """Taken over."""
