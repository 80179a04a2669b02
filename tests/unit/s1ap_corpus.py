# SPDX-License-Identifier: Apache-2.0
"""The S1AP messages of an attach, a release and a reset, as a phone and an eNB of today send them."""

from dialtone.codec import s1ap
from dialtone.codec.s1ap import Cause
from dialtone.ids import Ecgi, Plmn, Tai

HOME = Plmn("001", "01")
TAI = Tai(HOME, 7)
ECGI = Ecgi(HOME, 0x19B01)
UE = {"mme_ue_s1ap_id": 100_000, "enb_ue_s1ap_id": 2}
OTHER = s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", 0x19C))
QOS = s1ap.ERABLevelQoSParameters(9, s1ap.AllocationAndRetentionPriority(8, 1, 0))
VOICE = s1ap.ERABLevelQoSParameters(
    1, s1ap.AllocationAndRetentionPriority(2, 1, 1), s1ap.GBRQosInformation(128_000, 128_000, 64_000, 64_000)
)
AMBR = s1ap.UEAggregateMaximumBitrate(100_000_000, 50_000_000)
CORE, ENB = bytes((10, 0, 1, 133)), bytes((10, 0, 1, 2))
ITEM = s1ap.ERABToBeSetupItemCtxtSUReq(5, QOS, CORE, 0x1234, bytes(range(90)))
SPECIFIC = s1ap.ERABToBeSetupItemBearerSUReq(7, VOICE, CORE, 0x1236, bytes(range(60)))
CONNECTIONS = (
    s1ap.UEassociatedLogicalS1ConnectionItem(1, 2),
    s1ap.UEassociatedLogicalS1ConnectionItem(None, 3),
    s1ap.UEassociatedLogicalS1ConnectionItem(4),
)
DIAGNOSTICS = s1ap.CriticalityDiagnostics(17, 0, 0, (s1ap.CriticalityDiagnosticsIEItem(0, 300, 1),))
RRC = bytes(2)  # a HandoverPreparationInformation without anything optional (TS 36.331, 10.2.2)
TO_TARGET = s1ap.SourceToTarget(
    rrc_container=RRC,
    e_rab_information_list=(s1ap.ERABInformationItem(5, 0), s1ap.ERABInformationItem(6)),
    target_cell_id=ECGI,
    ue_history_information=(s1ap.VisitedCell(
        "e-UTRAN-Cell", s1ap.LastVisitedEUTRANCell(ECGI, s1ap.CellType(s1ap.CellSize.SMALL), 77)),),
)
STATUS = s1ap.StatusTransfer((
    s1ap.BearerStatus(5, s1ap.CountValue(1, 2), s1ap.CountValue(4095, 1048575)),
    s1ap.BearerStatus(6, s1ap.CountValue(0, 0), s1ap.CountValue(0, 0), bytes(512)),
))
CONTAINERS = (TO_TARGET, s1ap.TargetToSource(bytes(range(60))), STATUS)

CORPUS: tuple[s1ap.S1apMessage, ...] = (
    s1ap.S1SetupRequest(
        global_enb_id=s1ap.GlobalENBID(HOME, s1ap.ENBID("macroENB-ID", 0x19B)),
        enb_name="BaiCells-1",
        supported_tas=(s1ap.SupportedTAsItem(7, (HOME,)), s1ap.SupportedTAsItem(8, (HOME, Plmn("310", "410")))),
        default_paging_drx=s1ap.PagingDRX.V128,
    ),
    s1ap.S1SetupResponse(
        mme_name="dialtone",
        served_gummeis=(s1ap.ServedGUMMEIsItem((HOME,), (0x8001,), (1,)),),
        relative_mme_capacity=255,
    ),
    s1ap.S1SetupFailure(
        cause=Cause.of("misc", "unknown-PLMN"),
        time_to_wait=s1ap.TimeToWait.V10S,
        criticality_diagnostics=DIAGNOSTICS,
    ),
    s1ap.InitialUEMessage(
        enb_ue_s1ap_id=2,
        nas_pdu=bytes(range(80)),
        tai=TAI,
        eutran_cgi=ECGI,
        rrc_establishment_cause=s1ap.RRCEstablishmentCause.MO_SIGNALLING,
        s_tmsi=s1ap.STmsi(1, 0xC0123456),
    ),
    s1ap.DownlinkNASTransport(**UE, nas_pdu=bytes(range(36))),
    s1ap.UplinkNASTransport(**UE, nas_pdu=bytes(range(36)), eutran_cgi=ECGI, tai=TAI),
    s1ap.NASNonDeliveryIndication(
        **UE, nas_pdu=bytes(range(36)), cause=Cause.of("radioNetwork", "radio-connection-with-ue-lost")
    ),
    s1ap.InitialContextSetupRequest(
        **UE,
        ue_aggregate_maximum_bitrate=AMBR,
        e_rab_to_be_setup_list=(ITEM,),
        ue_security_capabilities=s1ap.UESecurityCapabilities(0xE000, 0xE000),
        security_key=bytes(range(32)),
        nr_ue_security_capabilities=s1ap.NRUESecurityCapabilities(0xC000, 0xC000),
    ),
    s1ap.InitialContextSetupResponse(**UE, e_rab_setup_list=(s1ap.ERABSetupItemCtxtSURes(5, ENB, 77),)),
    s1ap.InitialContextSetupFailure(**UE, cause=Cause.of("radioNetwork", 26)),
    s1ap.UEContextReleaseRequest(**UE, cause=Cause.of("radioNetwork", "user-inactivity")),
    s1ap.UEContextReleaseCommand(ue_s1ap_ids=s1ap.UES1APIDPair(100_000, 2), cause=Cause.of("nas", "detach")),
    s1ap.UEContextReleaseComplete(**UE, user_location_information=s1ap.UserLocationInformation(ECGI, TAI)),
    s1ap.UECapabilityInfoIndication(**UE, ue_radio_capability=bytes(range(200))),
    s1ap.ErrorIndication(
        **UE, cause=Cause.of("protocol", "semantic-error"), criticality_diagnostics=DIAGNOSTICS
    ),
    s1ap.Reset(cause=Cause.of("misc", "om-intervention"), reset_type=s1ap.ResetAll.RESET_ALL),
    s1ap.Reset(cause=Cause.of("transport", "unspecified"), reset_type=CONNECTIONS),
    s1ap.ResetAcknowledge(ue_associated_logical_s1_connection_list=CONNECTIONS),
    s1ap.ERABSetupRequest(**UE, ue_aggregate_maximum_bitrate=AMBR, e_rab_to_be_setup_list=(SPECIFIC,)),
    s1ap.ERABSetupResponse(
        **UE,
        e_rab_setup_list=(s1ap.ERABSetupItemBearerSURes(7, ENB, 78),),
        e_rab_failed_to_setup_list=(s1ap.ERABItem(8, Cause.of("radioNetwork", 37)),),
    ),
    s1ap.ERABReleaseCommand(
        **UE, e_rab_to_be_released_list=(s1ap.ERABItem(7, Cause.of("nas", 0)),), nas_pdu=bytes(range(20))
    ),
    s1ap.Paging(
        ue_identity_index_value=123,
        ue_paging_id=s1ap.STmsi(1, 0xC0123456),
        cn_domain=s1ap.CNDomain.PS,
        tai_list=(s1ap.TAIItem(TAI),),
    ),
    s1ap.HandoverRequired(
        **UE,
        handover_type=s1ap.HandoverType.INTRALTE,
        cause=Cause.of("radioNetwork", "handover-desirable-for-radio-reason"),
        target_id=s1ap.TargetID("targeteNB-ID", s1ap.TargetENBID(OTHER, TAI)),
        direct_forwarding_path_availability=0,
        source_to_target_transparent_container=s1ap.encode_container(TO_TARGET),
    ),
    s1ap.HandoverRequest(
        mme_ue_s1ap_id=100_000,
        handover_type=s1ap.HandoverType.INTRALTE,
        cause=Cause.of("radioNetwork", "handover-desirable-for-radio-reason"),
        ue_aggregate_maximum_bitrate=AMBR,
        e_rab_to_be_setup_list=(s1ap.ERABToBeSetupItemHOReq(5, CORE, 0x1234, QOS),),
        source_to_target_transparent_container=s1ap.encode_container(TO_TARGET),
        ue_security_capabilities=s1ap.UESecurityCapabilities(0xE000, 0xE000),
        security_context=s1ap.SecurityContext(2, bytes(range(32))),
    ),
    s1ap.HandoverRequestAcknowledge(
        **UE,
        e_rab_admitted_list=(s1ap.ERABAdmittedItem(5, ENB, 79, ENB, 80),),
        e_rab_failed_to_setup_list=(s1ap.ERABItem(6, Cause.of("radioNetwork", 25)),),
        target_to_source_transparent_container=s1ap.encode_container(CONTAINERS[1]),
    ),
    s1ap.HandoverCommand(
        **UE,
        handover_type=s1ap.HandoverType.INTRALTE,
        e_rab_subject_to_data_forwarding_list=(s1ap.ERABDataForwardingItem(5, ENB, 80),),
        e_rab_to_release_list=(s1ap.ERABItem(6, Cause.of("radioNetwork", 25)),),
        target_to_source_transparent_container=s1ap.encode_container(CONTAINERS[1]),
    ),
    s1ap.HandoverPreparationFailure(**UE, cause=Cause.of("radioNetwork", "unknown-targetID")),
    s1ap.HandoverFailure(
        mme_ue_s1ap_id=100_000, cause=Cause.of("radioNetwork", "no-radio-resources-available-in-target-cell")
    ),
    s1ap.HandoverNotify(**UE, eutran_cgi=ECGI, tai=TAI),
    s1ap.HandoverCancel(**UE, cause=Cause.of("radioNetwork", "handover-cancelled")),
    s1ap.HandoverCancelAcknowledge(**UE),
    s1ap.PathSwitchRequest(
        enb_ue_s1ap_id=2,
        e_rab_to_be_switched_dl_list=(s1ap.ERABToBeSwitchedDLItem(5, ENB, 81),),
        source_mme_ue_s1ap_id=100_000,
        eutran_cgi=ECGI,
        tai=TAI,
        ue_security_capabilities=s1ap.UESecurityCapabilities(0xE000, 0xE000),
    ),
    s1ap.PathSwitchRequestAcknowledge(
        **UE,
        e_rab_to_be_released_list=(s1ap.ERABItem(6, Cause.of("radioNetwork", "partial-handover")),),
        security_context=s1ap.SecurityContext(3, bytes(range(32))),
        ue_security_capabilities=s1ap.UESecurityCapabilities(0xE000, 0xE000),
    ),
    s1ap.PathSwitchRequestFailure(**UE, cause=Cause.of("radioNetwork", 6)),
    s1ap.ENBConfigurationUpdate(enb_name="new name", supported_tas=(s1ap.SupportedTAsItem(7, (HOME,)),)),
    s1ap.ENBConfigurationUpdateAcknowledge(),
    s1ap.ENBConfigurationUpdateFailure(cause=Cause.of("misc", "unknown-PLMN"), time_to_wait=s1ap.TimeToWait.V5S),
    s1ap.MMEConfigurationUpdate(relative_mme_capacity=10),
    s1ap.MMEConfigurationUpdateAcknowledge(),
    s1ap.MMEConfigurationUpdateFailure(cause=Cause.of("misc", "unspecified")),
    s1ap.OverloadStart(overload_response=s1ap.OverloadAction.REJECT_RRC_CR_SIGNALLING),
    s1ap.OverloadStop(),
    s1ap.LocationReportingControl(
        **UE, request_type=s1ap.RequestType(s1ap.EventType.CHANGE_OF_SERVE_CELL, s1ap.ReportArea.ECGI)
    ),
    s1ap.LocationReport(
        **UE, eutran_cgi=ECGI, tai=TAI, request_type=s1ap.RequestType(s1ap.EventType.DIRECT, s1ap.ReportArea.ECGI)
    ),
    s1ap.LocationReportingFailureIndication(**UE, cause=Cause.of("radioNetwork", "unspecified")),
    s1ap.TraceFailureIndication(
        **UE, e_utran_trace_id=bytes(8), cause=Cause.of("radioNetwork", "interaction-with-other-procedure")
    ),
    s1ap.CellTrafficTrace(
        **UE, e_utran_trace_id=bytes(8), eutran_cgi=ECGI, trace_collection_entity_ip_address=CORE
    ),
    s1ap.WriteReplaceWarningRequest(
        message_identifier=4370,
        serial_number=0x4010,
        warning_area_list=s1ap.WarningArea("trackingAreaListforWarning", (TAI,)),
        repetition_period=10,
        number_of_broadcast_request=6,
        data_coding_scheme=1,
        warning_message_contents=bytes((1, *range(82), 20)),
    ),
    s1ap.WriteReplaceWarningResponse(
        message_identifier=4370,
        serial_number=0x4010,
        broadcast_completed_area_list=s1ap.WarningArea(
            "tAI-Broadcast", (s1ap.TAIBroadcastItem(TAI, (s1ap.CompletedCellItem(ECGI),)),)
        ),
    ),
    s1ap.KillRequest(message_identifier=4370, serial_number=0x4010),
    s1ap.KillResponse(
        message_identifier=4370,
        serial_number=0x4010,
        broadcast_cancelled_area_list=s1ap.WarningArea("cellID-Cancelled", (s1ap.CancelledCellItem(ECGI, 3),)),
    ),
    s1ap.PWSRestartIndication(ecgi_list_for_restart=(ECGI,), global_enb_id=OTHER, tai_list_for_restart=(TAI,)),
    s1ap.PWSFailureIndication(pws_failed_ecgi_list=(ECGI,), global_enb_id=OTHER),
)
