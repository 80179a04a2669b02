# SPDX-License-Identifier: Apache-2.0
"""Named values of small elements. Fields hold plain integers: a peer may send what has no name here."""

from enum import IntEnum

NO_KEY = 7
"""NAS key set identifier: no key is available (TS 24.301, 9.9.3.21)."""


class EpsAttachType(IntEnum):
    """TS 24.301, 9.9.3.11. Bit 4 is spare: compare `value & 7`."""

    EPS = 1
    COMBINED = 2
    EMERGENCY = 6


class EpsAttachResult(IntEnum):
    """TS 24.301, 9.9.3.10."""

    EPS_ONLY = 1
    COMBINED = 2


class UeDetachType(IntEnum):
    """Detach type from the UE (TS 24.301, 9.9.3.7); bit 4 (`SWITCH_OFF`) is added to it."""

    EPS = 1
    IMSI = 2
    COMBINED = 3


SWITCH_OFF = 8
"""Bit 4 of the UE's detach type: the phone is being switched off and expects no answer."""


class NetworkDetachType(IntEnum):
    """Detach type from the network (TS 24.301, 9.9.3.7)."""

    REATTACH_REQUIRED = 1
    REATTACH_NOT_REQUIRED = 2
    IMSI = 3


class EpsUpdateType(IntEnum):
    """TS 24.301, 9.9.3.14; bit 4 (`ACTIVE`) is added to it."""

    TA_UPDATING = 0
    COMBINED = 1
    COMBINED_WITH_IMSI_ATTACH = 2
    PERIODIC = 3


ACTIVE = 8
"""Bit 4 of the EPS update type: the UE asks for its bearers after the update."""


class IdentityType(IntEnum):
    """Identity type 2 (TS 24.008, 10.5.5.9)."""

    IMSI = 1
    IMEI = 2
    IMEISV = 3
    TMSI = 4


class PdnType(IntEnum):
    """TS 24.301, 9.9.4.10; also the type in a PDN address (9.9.4.9)."""

    IPV4 = 1
    IPV6 = 2
    IPV4V6 = 3
    NON_IP = 5
    ETHERNET = 6


class RequestType(IntEnum):
    """TS 24.008, 10.5.6.17."""

    INITIAL = 1
    HANDOVER = 2
    EMERGENCY = 4
    HANDOVER_OF_EMERGENCY = 6


class VoiceDomain(IntEnum):
    """Voice domain preference for E-UTRAN (TS 24.008, 10.5.5.28)."""

    CS_ONLY = 0
    IMS_PS_ONLY = 1
    CS_PREFERRED = 2
    IMS_PS_PREFERRED = 3
