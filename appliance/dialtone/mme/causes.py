# SPDX-License-Identifier: Apache-2.0
"""Causes of one interface in terms of another: GTP for the phone, ESM and S1AP for the gateway (TS 29.274, annex C)."""

from dialtone.codec.gtpc import CauseValue
from dialtone.codec.nas.causes import EsmCause
from dialtone.codec.s1ap.causes import Cause

_ESM_BY_GTP: dict[int, int] = {
    CauseValue.CONTEXT_NOT_FOUND: EsmCause.NETWORK_FAILURE,
    CauseValue.SERVICE_NOT_SUPPORTED: EsmCause.SERVICE_OPTION_NOT_SUPPORTED,
    CauseValue.SYSTEM_FAILURE: EsmCause.NETWORK_FAILURE,
    CauseValue.NO_RESOURCES_AVAILABLE: EsmCause.INSUFFICIENT_RESOURCES,
    CauseValue.SEMANTIC_ERROR_IN_THE_TFT_OPERATION: EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION,
    CauseValue.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION: EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION,
    CauseValue.SEMANTIC_ERRORS_IN_PACKET_FILTERS: EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
    CauseValue.SYNTACTIC_ERRORS_IN_PACKET_FILTERS: EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS,
    CauseValue.MISSING_OR_UNKNOWN_APN: EsmCause.MISSING_OR_UNKNOWN_APN,
    CauseValue.DENIED_IN_RAT: EsmCause.REQUESTED_APN_NOT_SUPPORTED_IN_CURRENT_RAT_AND_PLMN_COMBINATION,
    CauseValue.PREFERRED_PDN_TYPE_NOT_SUPPORTED: EsmCause.PDN_TYPE_IPV4_ONLY_ALLOWED,
    CauseValue.ALL_DYNAMIC_ADDRESSES_ARE_OCCUPIED: EsmCause.INSUFFICIENT_RESOURCES,
    CauseValue.PROTOCOL_TYPE_NOT_SUPPORTED: EsmCause.SERVICE_OPTION_NOT_SUPPORTED,
    CauseValue.SERVICE_DENIED: EsmCause.EPS_QOS_NOT_ACCEPTED,
    CauseValue.NO_MEMORY_AVAILABLE: EsmCause.INSUFFICIENT_RESOURCES,
    CauseValue.USER_AUTHENTICATION_FAILED: EsmCause.USER_AUTHENTICATION_FAILED,
    CauseValue.APN_ACCESS_DENIED_NO_SUBSCRIPTION: EsmCause.REQUESTED_SERVICE_OPTION_NOT_SUBSCRIBED,
    CauseValue.REMOTE_PEER_NOT_RESPONDING: EsmCause.NETWORK_FAILURE,
    CauseValue.COLLISION_WITH_NETWORK_INITIATED_REQUEST: EsmCause.COLLISION_WITH_NETWORK_INITIATED_REQUEST,
    CauseValue.APN_CONGESTION: EsmCause.INSUFFICIENT_RESOURCES,
    CauseValue.BEARER_HANDLING_NOT_SUPPORTED: EsmCause.BEARER_HANDLING_NOT_SUPPORTED,
    CauseValue.GTP_C_ENTITY_CONGESTION: EsmCause.INSUFFICIENT_RESOURCES,
}
_GTP_BY_ESM: dict[int, int] = {
    EsmCause.SEMANTIC_ERROR_IN_THE_TFT_OPERATION: CauseValue.SEMANTIC_ERROR_IN_THE_TFT_OPERATION,
    EsmCause.SYNTACTICAL_ERROR_IN_THE_TFT_OPERATION: CauseValue.SYNTACTIC_ERROR_IN_THE_TFT_OPERATION,
    EsmCause.SEMANTIC_ERRORS_IN_PACKET_FILTERS: CauseValue.SEMANTIC_ERRORS_IN_PACKET_FILTERS,
    EsmCause.SYNTACTICAL_ERRORS_IN_PACKET_FILTERS: CauseValue.SYNTACTIC_ERRORS_IN_PACKET_FILTERS,
}
_GTP_BY_S1AP: dict[Cause, int] = {
    Cause.of(group, name): gtp for group, name, gtp in (
        ("radioNetwork", "radio-resources-not-available", CauseValue.NO_RESOURCES_AVAILABLE),
        ("transport", "transport-resource-unavailable", CauseValue.NO_RESOURCES_AVAILABLE),
        ("misc", "not-enough-user-plane-processing-resources", CauseValue.NO_RESOURCES_AVAILABLE),
        ("radioNetwork", "failure-in-radio-interface-procedure", CauseValue.UE_NOT_RESPONDING),
        ("radioNetwork", "radio-connection-with-ue-lost", CauseValue.UE_NOT_RESPONDING),
        ("radioNetwork", "s1-intra-system-handover-triggered", CauseValue.TEMPORARILY_REJECTED_DUE_TO_HANDOVER),
        ("radioNetwork", "s1-inter-system-handover-triggered", CauseValue.TEMPORARILY_REJECTED_DUE_TO_HANDOVER),
        ("radioNetwork", "x2-handover-triggered", CauseValue.TEMPORARILY_REJECTED_DUE_TO_HANDOVER),
    )
}


def esm_by_gtp(cause: int) -> int:
    """What the phone is told of the gateway's refusal."""
    return _ESM_BY_GTP.get(cause, EsmCause.REQUEST_REJECTED_BY_SERVING_GW_OR_PDN_GW)


def gtp_by_esm(cause: int) -> int:
    """What the gateway is told of the phone's refusal."""
    return _GTP_BY_ESM.get(cause, CauseValue.UE_REFUSES)


def gtp_by_s1ap(cause: Cause | None) -> int:
    """What the gateway is told of the eNB's refusal."""
    return CauseValue.REQUEST_REJECTED if cause is None else _GTP_BY_S1AP.get(cause, CauseValue.REQUEST_REJECTED)
