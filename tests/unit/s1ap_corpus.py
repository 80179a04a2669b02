# SPDX-License-Identifier: Apache-2.0
"""The S1AP messages of an attach, a release and a reset, as a phone and an eNB of today send them."""

from dialtone.codec import s1ap
from dialtone.codec.s1ap import Cause
from dialtone.ids import Ecgi, Plmn, Tai

HOME = Plmn("001", "01")
TAI = Tai(HOME, 7)
ECGI = Ecgi(HOME, 0x19B01)
UE = {"mme_ue_s1ap_id": 100_000, "enb_ue_s1ap_id": 2}
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
)
