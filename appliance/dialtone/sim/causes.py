# SPDX-License-Identifier: Apache-2.0
"""EMM and ESM causes in words, and what they do to a phone (TS 24.301, 5.5.1.2.5, 9.9.3.9 and 9.9.4.4)."""

from typing import NamedTuple

EMM = {
    2: "IMSI unknown in HSS",
    3: "Illegal UE",
    5: "IMEI not accepted",
    6: "Illegal ME",
    7: "EPS services not allowed",
    8: "EPS services and non-EPS services not allowed",
    9: "UE identity cannot be derived by the network",
    10: "Implicitly detached",
    11: "PLMN not allowed",
    12: "Tracking area not allowed",
    13: "Roaming not allowed in this tracking area",
    14: "EPS services not allowed in this PLMN",
    15: "No suitable cells in tracking area",
    16: "MSC temporarily not reachable",
    17: "Network failure",
    18: "CS domain not available",
    19: "ESM failure",
    20: "MAC failure",
    21: "Synch failure",
    22: "Congestion",
    23: "UE security capabilities mismatch",
    24: "Security mode rejected, unspecified",
    25: "Not authorized for this CSG",
    26: "Non-EPS authentication unacceptable",
    35: "Requested service option not authorized in this PLMN",
    39: "CS service temporarily not available",
    40: "No EPS bearer context activated",
    42: "Severe network failure",
    95: "Semantically incorrect message",
    96: "Invalid mandatory information",
    97: "Message type non-existent or not implemented",
    98: "Message type not compatible with the protocol state",
    99: "Information element non-existent or not implemented",
    100: "Conditional IE error",
    101: "Message not compatible with the protocol state",
    111: "Protocol error, unspecified",
}

ESM = {
    8: "Operator determined barring",
    26: "Insufficient resources",
    27: "Missing or unknown APN",
    28: "Unknown PDN type",
    29: "User authentication failed",
    30: "Request rejected by Serving GW or PDN GW",
    31: "Request rejected, unspecified",
    32: "Service option not supported",
    33: "Requested service option not subscribed",
    34: "Service option temporarily out of order",
    35: "PTI already in use",
    36: "Regular deactivation",
    38: "Network failure",
    39: "Reactivation requested",
    43: "Invalid EPS bearer identity",
    47: "PTI mismatch",
    49: "Last PDN disconnection not allowed",
    50: "PDN type IPv4 only allowed",
    51: "PDN type IPv6 only allowed",
    53: "ESM information not received",
    54: "PDN connection does not exist",
    55: "Multiple PDN connections for a given APN not allowed",
    65: "Maximum number of EPS bearers reached",
    81: "Invalid PTI value",
    96: "Invalid mandatory information",
    97: "Message type non-existent or not implemented",
    111: "Protocol error, unspecified",
    112: "APN restriction value incompatible with active EPS bearer context",
}


class Stick(NamedTuple):
    """What stays after a cause: the card is invalid until power-off, the PLMN or the area is forbidden."""

    usim: bool = False
    plmn: bool = False
    area: bool = False

    @property
    def text(self) -> str:
        """What must be done at the phone, for people; empty when nothing stays."""
        if self.usim:
            return "the phone does not try again before it was switched off and on"
        if self.plmn:
            return "the phone avoids this PLMN until it is selected by hand"
        if self.area:
            return "the phone avoids this tracking area until it was switched off and on"
        return ""


_USIM, _PLMN, _AREA = Stick(usim=True), Stick(plmn=True), Stick(area=True)
STICKY = {3: _USIM, 6: _USIM, 7: _USIM, 8: _USIM, 11: _PLMN, 35: _PLMN, 14: _PLMN, 12: _AREA, 13: _AREA,
          15: _AREA}
"""Causes of Attach reject, Detach request and the like that stay (TS 24.301, 5.5.1.2.5 and 5.5.2.3.2)."""

KEEPS_IDENTITY = frozenset({10, 17, 18, 19, 22, 25, 39, 40, 42, 95, 96, 97, 99, 111})
"""Causes after which GUTI and keys stay valid; after every other named one they are deleted."""

NO_NEXT_ATTEMPT = frozenset({95, 96, 97, 99, 111})
"""Causes that count for all five attempts: the network does not understand the phone."""


def emm(cause: int | None) -> str:
    """`8, EPS services and non-EPS services not allowed`."""
    return f"{cause}, {EMM[cause]}" if cause in EMM else f"{cause}"


def esm(cause: int | None) -> str:
    """`27, Missing or unknown APN`."""
    return f"{cause}, {ESM[cause]}" if cause in ESM else f"{cause}"


def stick(cause: int | None) -> Stick:
    """What `cause` leaves behind."""
    return STICKY.get(cause or 0, Stick())
