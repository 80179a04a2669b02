# SPDX-License-Identifier: Apache-2.0
"""What the commands of the 3GPP applications begin with (TS 29.272, 7.2; TS 29.229, 6.1).

The order of AVPs carries no meaning, save that Session-Id comes first (RFC 6733, 3 and 3.2), so these stand
before the AVPs of the command itself.
"""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.diameter.grouped import ExperimentalResult, ProxyInfo, VendorSpecificApplicationId
from dialtone.codec.diameter.table import DiameterMessage

NO_STATE_MAINTAINED = 1


@dataclass(slots=True, kw_only=True)
class ApplicationRequest(DiameterMessage):
    """A request of any application."""

    proxiable: bool = True

    session_id: Annotated[str, "< Session-Id >"]
    drmp: Annotated[int | None, "[ DRMP ]"] = None
    vendor_specific_application_id: Annotated[
        VendorSpecificApplicationId | None, "[ Vendor-Specific-Application-Id ]"
    ] = None
    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    destination_host: Annotated[str | None, "[ Destination-Host ]"] = None
    destination_realm: Annotated[str, "{ Destination-Realm }"]
    proxy_info: Annotated[tuple[ProxyInfo, ...], "* [ Proxy-Info ]"] = ()
    route_record: Annotated[tuple[str, ...], "* [ Route-Record ]"] = ()


@dataclass(slots=True, kw_only=True)
class SessionRequest(ApplicationRequest):
    """A request of a session without state."""

    auth_session_state: Annotated[int, "{ Auth-Session-State }"] = NO_STATE_MAINTAINED


@dataclass(slots=True, kw_only=True)
class SessionAnswer(DiameterMessage):
    """An answer of a session without state. One of `result_code` and `experimental_result` says how it went.

    With the E bit or a Result-Code from 3000 on, all but the origin may be missing (RFC 6733, 7.2).
    """

    proxiable: bool = True

    session_id: Annotated[str | None, "< Session-Id >"] = None
    drmp: Annotated[int | None, "[ DRMP ]"] = None
    vendor_specific_application_id: Annotated[
        VendorSpecificApplicationId | None, "[ Vendor-Specific-Application-Id ]"
    ] = None
    result_code: Annotated[int | None, "[ Result-Code ]"] = None
    experimental_result: Annotated[ExperimentalResult | None, "[ Experimental-Result ]"] = None
    auth_session_state: Annotated[int | None, "{ Auth-Session-State }"] = NO_STATE_MAINTAINED
    origin_host: Annotated[str, "{ Origin-Host }"]
    origin_realm: Annotated[str, "{ Origin-Realm }"]
    error_message: Annotated[str | None, "[ Error-Message ]"] = None
    error_reporting_host: Annotated[str | None, "[ Error-Reporting-Host ]"] = None
    failed_avp: Annotated[tuple[bytes, ...], "* [ Failed-AVP ]"] = ()
    redirect_host: Annotated[tuple[str, ...], "* [ Redirect-Host ]"] = ()
    redirect_host_usage: Annotated[int | None, "[ Redirect-Host-Usage ]"] = None
    redirect_max_cache_time: Annotated[int | None, "[ Redirect-Max-Cache-Time ]"] = None
    proxy_info: Annotated[tuple[ProxyInfo, ...], "* [ Proxy-Info ]"] = ()
    route_record: Annotated[tuple[str, ...], "* [ Route-Record ]"] = ()

    @property
    def experimental_result_code(self) -> int | None:
        """The Experimental-Result-Code, None where Result-Code speaks."""
        result = self.experimental_result
        return None if result is None else result.experimental_result_code
