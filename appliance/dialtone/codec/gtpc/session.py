# SPDX-License-Identifier: Apache-2.0
"""Session messages between MME and S-GW, S-GW and P-GW (TS 29.274, 7.2.1, 7.2.2, 7.2.7 to 7.2.10)."""

from dataclasses import dataclass
from typing import Annotated

from dialtone.codec.gtpc.bearer_context import (
    BearerContextCreated,
    BearerContextMarkedForRemoval,
    BearerContextModified,
    BearerContextToBeCreated,
    BearerContextToBeModified,
    BearerContextToBeRemoved,
)
from dialtone.codec.gtpc.indication import Indication
from dialtone.codec.gtpc.table import CO, C, GtpcMessage, M, O, message
from dialtone.codec.gtpc.types import (
    AMBR,
    APCO,
    APN,
    APN_RESTRICTION,
    BEARER_CONTEXT,
    CAUSE,
    CHANGE_REPORTING_ACTION,
    CHARGING_CHARACTERISTICS,
    CSG_INFORMATION_REPORTING_ACTION,
    DELAY_VALUE,
    EBI,
    EPC_TIMER,
    FQ_CSID,
    FQDN,
    FTEID,
    HENB_INFORMATION_REPORTING,
    IMSI,
    INDICATION,
    IP_ADDRESS,
    LDN,
    MEI,
    MSISDN,
    NODE_TYPE,
    PAA,
    PCO,
    PDN_TYPE,
    RAN_NAS_CAUSE,
    RAT_TYPE,
    RECOVERY,
    SELECTION_MODE,
    SERVING_NETWORK,
    SIGNALLING_PRIORITY_INDICATION,
    TRACE_INFORMATION,
    UCI,
    UE_TIME_ZONE,
    ULI,
    ULI_TIMESTAMP,
)
from dialtone.codec.gtpc.values import Ambr, Cause, Fteid, Paa, UeTimeZone, Uli
from dialtone.ids import Plmn


@message(32, "Create Session Request", "TS 29.274, 7.2.1")
@dataclass(slots=True, kw_only=True)
class CreateSessionRequest(GtpcMessage):
    """Table 7.2.1-1."""

    imsi: Annotated[str | None, C(IMSI)] = None
    msisdn: Annotated[str | None, C(MSISDN)] = None
    mei: Annotated[str | None, C(MEI)] = None
    uli: Annotated[Uli | None, C(ULI)] = None
    serving_network: Annotated[Plmn | None, C(SERVING_NETWORK)] = None
    rat_type: Annotated[int, M(RAT_TYPE)]
    indication_flags: Annotated[Indication | None, C(INDICATION)] = None
    sender_f_teid: Annotated[Fteid, M(FTEID)]
    pgw_s5_s8_address: Annotated[Fteid | None, C(FTEID, 1)] = None
    apn: Annotated[str, M(APN)]
    selection_mode: Annotated[int | None, C(SELECTION_MODE)] = None
    pdn_type: Annotated[int | None, C(PDN_TYPE)] = None
    paa: Annotated[Paa | None, C(PAA)] = None
    maximum_apn_restriction: Annotated[int | None, C(APN_RESTRICTION)] = None
    ambr: Annotated[Ambr | None, C(AMBR)] = None
    linked_ebi: Annotated[int | None, C(EBI)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    bearer_contexts_to_be_created: Annotated[tuple[BearerContextToBeCreated, ...], M(BEARER_CONTEXT)]
    bearer_contexts_to_be_removed: Annotated[tuple[BearerContextToBeRemoved, ...], C(BEARER_CONTEXT, 1)] = ()
    trace_information: Annotated[bytes | None, C(TRACE_INFORMATION)] = None
    recovery: Annotated[int | None, C(RECOVERY)] = None
    mme_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None
    uci: Annotated[bytes | None, CO(UCI)] = None
    charging_characteristics: Annotated[int | None, C(CHARGING_CHARACTERISTICS)] = None
    mme_s4_sgsn_ldn: Annotated[bytes | None, O(LDN)] = None
    sgw_ldn: Annotated[bytes | None, O(LDN, 1)] = None
    signalling_priority_indication: Annotated[int | None, CO(SIGNALLING_PRIORITY_INDICATION)] = None
    apco: Annotated[bytes | None, CO(APCO)] = None


@message(33, "Create Session Response", "TS 29.274, 7.2.2")
@dataclass(slots=True, kw_only=True)
class CreateSessionResponse(GtpcMessage):
    """Table 7.2.2-1. A refusal holds the Cause and little else."""

    cause: Annotated[Cause, M(CAUSE)]
    change_reporting_action: Annotated[int | None, C(CHANGE_REPORTING_ACTION)] = None
    csg_information_reporting_action: Annotated[int | None, CO(CSG_INFORMATION_REPORTING_ACTION)] = None
    henb_information_reporting: Annotated[int | None, CO(HENB_INFORMATION_REPORTING)] = None
    sender_f_teid: Annotated[Fteid | None, C(FTEID)] = None
    pgw_s5_s8_f_teid: Annotated[Fteid | None, C(FTEID, 1)] = None
    paa: Annotated[Paa | None, C(PAA)] = None
    apn_restriction: Annotated[int | None, C(APN_RESTRICTION)] = None
    ambr: Annotated[Ambr | None, C(AMBR)] = None
    linked_ebi: Annotated[int | None, C(EBI)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    bearer_contexts_created: Annotated[tuple[BearerContextCreated, ...], M(BEARER_CONTEXT)] = ()
    bearer_contexts_marked_for_removal: Annotated[
        tuple[BearerContextMarkedForRemoval, ...], C(BEARER_CONTEXT, 1)
    ] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None
    charging_gateway_name: Annotated[bytes | None, C(FQDN)] = None
    charging_gateway_address: Annotated[bytes | None, C(IP_ADDRESS)] = None
    pgw_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    sgw_ldn: Annotated[bytes | None, O(LDN)] = None
    pgw_ldn: Annotated[bytes | None, O(LDN, 1)] = None
    pgw_back_off_time: Annotated[int | None, O(EPC_TIMER)] = None
    apco: Annotated[bytes | None, CO(APCO)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(34, "Modify Bearer Request", "TS 29.274, 7.2.7")
@dataclass(slots=True, kw_only=True)
class ModifyBearerRequest(GtpcMessage):
    """Table 7.2.7-1."""

    mei: Annotated[str | None, C(MEI)] = None
    uli: Annotated[Uli | None, C(ULI)] = None
    serving_network: Annotated[Plmn | None, CO(SERVING_NETWORK)] = None
    rat_type: Annotated[int | None, C(RAT_TYPE)] = None
    indication_flags: Annotated[Indication | None, C(INDICATION)] = None
    sender_f_teid: Annotated[Fteid | None, C(FTEID)] = None
    ambr: Annotated[Ambr | None, C(AMBR)] = None
    delay_downlink_packet_notification_request: Annotated[int | None, C(DELAY_VALUE)] = None
    bearer_contexts_to_be_modified: Annotated[tuple[BearerContextToBeModified, ...], C(BEARER_CONTEXT)] = ()
    bearer_contexts_to_be_removed: Annotated[tuple[BearerContextToBeRemoved, ...], C(BEARER_CONTEXT, 1)] = ()
    recovery: Annotated[int | None, C(RECOVERY)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None
    mme_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    uci: Annotated[bytes | None, CO(UCI)] = None
    mme_s4_sgsn_ldn: Annotated[bytes | None, O(LDN)] = None
    sgw_ldn: Annotated[bytes | None, O(LDN, 1)] = None
    imsi: Annotated[str | None, CO(IMSI)] = None


@message(35, "Modify Bearer Response", "TS 29.274, 7.2.8")
@dataclass(slots=True, kw_only=True)
class ModifyBearerResponse(GtpcMessage):
    """Table 7.2.8-1."""

    cause: Annotated[Cause, M(CAUSE)]
    msisdn: Annotated[str | None, C(MSISDN)] = None
    linked_ebi: Annotated[int | None, C(EBI)] = None
    apn_restriction: Annotated[int | None, C(APN_RESTRICTION)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    bearer_contexts_modified: Annotated[tuple[BearerContextModified, ...], C(BEARER_CONTEXT)] = ()
    bearer_contexts_marked_for_removal: Annotated[
        tuple[BearerContextMarkedForRemoval, ...], C(BEARER_CONTEXT, 1)
    ] = ()
    change_reporting_action: Annotated[int | None, C(CHANGE_REPORTING_ACTION)] = None
    csg_information_reporting_action: Annotated[int | None, CO(CSG_INFORMATION_REPORTING_ACTION)] = None
    henb_information_reporting: Annotated[int | None, CO(HENB_INFORMATION_REPORTING)] = None
    charging_gateway_name: Annotated[bytes | None, C(FQDN)] = None
    charging_gateway_address: Annotated[bytes | None, C(IP_ADDRESS)] = None
    pgw_fq_csid: Annotated[bytes | None, C(FQ_CSID)] = None
    sgw_fq_csid: Annotated[bytes | None, C(FQ_CSID, 1)] = None
    recovery: Annotated[int | None, C(RECOVERY)] = None
    sgw_ldn: Annotated[bytes | None, O(LDN)] = None
    pgw_ldn: Annotated[bytes | None, O(LDN, 1)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None


@message(36, "Delete Session Request", "TS 29.274, 7.2.9.1")
@dataclass(slots=True, kw_only=True)
class DeleteSessionRequest(GtpcMessage):
    """Table 7.2.9.1-1."""

    cause: Annotated[Cause | None, C(CAUSE)] = None
    linked_ebi: Annotated[int | None, C(EBI)] = None
    uli: Annotated[Uli | None, C(ULI)] = None
    indication_flags: Annotated[Indication | None, C(INDICATION)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    originating_node: Annotated[int | None, C(NODE_TYPE)] = None
    sender_f_teid: Annotated[Fteid | None, O(FTEID)] = None
    ue_time_zone: Annotated[UeTimeZone | None, CO(UE_TIME_ZONE)] = None
    uli_timestamp: Annotated[int | None, CO(ULI_TIMESTAMP)] = None
    ran_nas_release_cause: Annotated[bytes | None, CO(RAN_NAS_CAUSE)] = None


@message(37, "Delete Session Response", "TS 29.274, 7.2.10.1")
@dataclass(slots=True, kw_only=True)
class DeleteSessionResponse(GtpcMessage):
    """Table 7.2.10.1-1."""

    cause: Annotated[Cause, M(CAUSE)]
    recovery: Annotated[int | None, C(RECOVERY)] = None
    pco: Annotated[bytes | None, C(PCO)] = None
    indication_flags: Annotated[Indication | None, CO(INDICATION)] = None
