# SPDX-License-Identifier: Apache-2.0
"""Commands of the base protocol between neighbours (RFC 6733, 5), application 0, not proxiable."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.diameter.grouped import VendorSpecificApplicationId
from dialtone.codec.diameter.table import DiameterMessage, command
from dialtone.codec.diameter.types import Address


@command(257, 0, "Capabilities-Exchange Request", "RFC 6733, 5.3.1")
@dataclass(slots=True, kw_only=True)
class CapabilitiesExchangeRequest(DiameterMessage):
    """The first message of a connection."""

    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    host_ip_address: Annotated[tuple[Address, ...], "1* { Host-IP-Address }"]
    vendor_id: Annotated[int, "{ Vendor-Id }"]
    product_name: Annotated[str, "{ Product-Name }"]
    origin_state_id: Annotated[int | None, "[ Origin-State-Id ]"] = None
    supported_vendor_id: Annotated[tuple[int, ...], "* [ Supported-Vendor-Id ]"] = ()
    auth_application_id: Annotated[tuple[int, ...], "* [ Auth-Application-Id ]"] = ()
    inband_security_id: Annotated[tuple[int, ...], "* [ Inband-Security-Id ]"] = ()
    acct_application_id: Annotated[tuple[int, ...], "* [ Acct-Application-Id ]"] = ()
    vendor_specific_application_id: Annotated[
        tuple[VendorSpecificApplicationId, ...], "* [ Vendor-Specific-Application-Id ]"
    ] = ()
    firmware_revision: Annotated[int | None, "[ Firmware-Revision ]"] = None


@command(257, 0, "Capabilities-Exchange Answer", "RFC 6733, 5.3.2")
@dataclass(slots=True, kw_only=True)
class CapabilitiesExchangeAnswer(DiameterMessage):
    """The answer; after a failure the connection is closed."""

    result_code: Annotated[int, "{ Result-Code }"]
    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    host_ip_address: Annotated[tuple[Address, ...], "1* { Host-IP-Address }"] = ()
    vendor_id: Annotated[int | None, "{ Vendor-Id }"] = None
    product_name: Annotated[str | None, "{ Product-Name }"] = None
    origin_state_id: Annotated[int | None, "[ Origin-State-Id ]"] = None
    error_message: Annotated[str | None, "[ Error-Message ]"] = None
    failed_avp: Annotated[tuple[bytes, ...], "* [ Failed-AVP ]"] = ()
    supported_vendor_id: Annotated[tuple[int, ...], "* [ Supported-Vendor-Id ]"] = ()
    auth_application_id: Annotated[tuple[int, ...], "* [ Auth-Application-Id ]"] = ()
    inband_security_id: Annotated[tuple[int, ...], "* [ Inband-Security-Id ]"] = ()
    acct_application_id: Annotated[tuple[int, ...], "* [ Acct-Application-Id ]"] = ()
    vendor_specific_application_id: Annotated[
        tuple[VendorSpecificApplicationId, ...], "* [ Vendor-Specific-Application-Id ]"
    ] = ()
    firmware_revision: Annotated[int | None, "[ Firmware-Revision ]"] = None


@command(280, 0, "Device-Watchdog Request", "RFC 6733, 5.5.1")
@dataclass(slots=True, kw_only=True)
class DeviceWatchdogRequest(DiameterMessage):
    """Is the neighbour alive? Sent when the connection has been quiet (RFC 3539)."""

    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    origin_state_id: Annotated[int | None, "[ Origin-State-Id ]"] = None


@command(280, 0, "Device-Watchdog Answer", "RFC 6733, 5.5.2")
@dataclass(slots=True, kw_only=True)
class DeviceWatchdogAnswer(DiameterMessage):
    """The answer to Device-Watchdog-Request."""

    result_code: Annotated[int, "{ Result-Code }"]
    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    error_message: Annotated[str | None, "[ Error-Message ]"] = None
    failed_avp: Annotated[tuple[bytes, ...], "* [ Failed-AVP ]"] = ()
    origin_state_id: Annotated[int | None, "[ Origin-State-Id ]"] = None


@command(282, 0, "Disconnect-Peer Request", "RFC 6733, 5.4.1")
@dataclass(slots=True, kw_only=True)
class DisconnectPeerRequest(DiameterMessage):
    """`disconnect_cause` 0 rebooting, 1 busy, 2 do not want to talk to you (RFC 6733, 5.4.3)."""

    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    disconnect_cause: Annotated[int, "{ Disconnect-Cause }"]


@command(282, 0, "Disconnect-Peer Answer", "RFC 6733, 5.4.2")
@dataclass(slots=True, kw_only=True)
class DisconnectPeerAnswer(DiameterMessage):
    """The answer; then the side that asked closes the connection."""

    result_code: Annotated[int, "{ Result-Code }"]
    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    error_message: Annotated[str | None, "[ Error-Message ]"] = None
    failed_avp: Annotated[tuple[bytes, ...], "* [ Failed-AVP ]"] = ()
