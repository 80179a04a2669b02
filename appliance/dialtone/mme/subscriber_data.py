# SPDX-License-Identifier: Apache-2.0
"""A changed subscription of a live phone (TS 29.272, 5.2.2; TS 23.401, 5.3.9.2).

Insert-Subscriber-Data or Delete-Subscriber-Data -> answer -> what follows of it: a PDN connection to an APN that is
withdrawn ends, a phone that may not be served any longer is detached.
"""

from collections.abc import Iterator
from dataclasses import replace

from dialtone.codec.diameter import (
    DeleteSubscriberDataAnswer,
    DeleteSubscriberDataRequest,
    EpsLocationInformation,
    EpsUserState,
    ExperimentalResult,
    InsertSubscriberDataAnswer,
    InsertSubscriberDataRequest,
    MmeLocationInformation,
    MmeUserState,
    ResultCode,
    SubscriptionData,
)
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effect, Effects, Tell, Verdict
from dialtone.mme import notify, subscribed_qos, subscription, ue_context_modification
from dialtone.mme.context import Ue
from dialtone.mme.detach import DetachUe, on_detach_ue
from dialtone.mme.element import Mme, on
from dialtone.mme.pdn_disconnect import ClosePdn
from dialtone.mme.states import EcmState, EmmState

VENDOR_3GPP, USER_UNKNOWN = 10415, 5001
REACHABILITY, T_ADS, USER_STATE, LOCATION = 1 << 0, 1 << 1, 1 << 2, 1 << 3  # IDR-Flags (7.3.103)
PROFILE_WITHDRAWN, CONTEXTS_WITHDRAWN = 1 << 1, 1 << 3  # DSR-Flags (7.3.25)
WITHDRAWN = {
    1 << 0: "regional_subscription_zone_code", 1 << 2: "charging_characteristics", 1 << 4: "stn_sr",
    1 << 7: "roaming_restricted_due_to_unsupported_feature", 1 << 10: "apn_oi_replacement",
    1 << 14: "subscribed_periodic_rau_tau_timer", 1 << 16: "a_msisdn", 1 << 23: "msisdn", 1 << 24: "ue_usage_type",
}
"""Flag of a Delete-Subscriber-Data Request to the AVP that it takes away."""
DETACHED, ATTACHED_IDLE, CONNECTED = 0, 2, 4  # User-State (7.3.114), never counting on being reached for paging
EUTRAN, VOICE_SUPPORTED = 1004, 1


@on("S6a", InsertSubscriberDataRequest)
def on_insert_subscriber_data_request(mme: Mme, msg: InsertSubscriberDataRequest, rx: Rx) -> Effects:
    """New values in place of the old ones, and answers to what is asked of the phone (5.2.2.1.2)."""
    ue = _phone(mme, msg.user_name, rx)
    if ue is None or ue.subscription is None:
        yield Answer(InsertSubscriberDataAnswer(**mme.s6a_answer(msg), experimental_result=_unknown()))
        return
    old, ue.subscription = ue.subscription, subscription.merged(ue.subscription, msg.subscription_data)
    answer = InsertSubscriberDataAnswer(**mme.s6a_answer(msg), result_code=ResultCode.DIAMETER_SUCCESS)
    _tell_of_phone(ue, msg.idr_flags or 0, answer, rx)
    yield Answer(answer)
    yield from apply(mme, ue, old, rx)
    yield from notify.heard(mme, ue, rx)


@on("S6a", DeleteSubscriberDataRequest)
def on_delete_subscriber_data_request(mme: Mme, msg: DeleteSubscriberDataRequest, rx: Rx) -> Effects:
    """The default APN never goes this way (5.2.2.2.2)."""
    ue = _phone(mme, msg.user_name, rx)
    if ue is None or ue.subscription is None:
        yield Answer(DeleteSubscriberDataAnswer(**mme.s6a_answer(msg), experimental_result=_unknown()))
        return
    old, flags = ue.subscription, msg.dsr_flags
    profile = old.apn_configuration_profile
    contexts = msg.context_identifier if flags & CONTEXTS_WITHDRAWN else ()
    if profile is not None and profile.context_identifier in contexts:
        yield Answer(DeleteSubscriberDataAnswer(**mme.s6a_answer(msg), result_code=ResultCode.DIAMETER_UNABLE_TO_COMPLY,
                                                error_message="the default APN cannot be withdrawn"))
        return
    new = subscription.without(old, contexts)
    if flags & PROFILE_WITHDRAWN:
        new = replace(new, apn_configuration_profile=None)
    empty = SubscriptionData()
    gone = {name: getattr(empty, name) for flag, name in WITHDRAWN.items() if flags & flag}
    ue.subscription = replace(new, **gone)
    yield Answer(DeleteSubscriberDataAnswer(**mme.s6a_answer(msg), result_code=ResultCode.DIAMETER_SUCCESS))
    yield from apply(mme, ue, old, rx)


def _phone(mme: Mme, imsi: str, rx: Rx) -> Ue | None:
    ue = mme.by_imsi.get(imsi)
    rx.subject, rx.state = imsi, ue.emm if ue else ""
    return ue


def _unknown() -> ExperimentalResult:
    return ExperimentalResult(vendor_id=VENDOR_3GPP, experimental_result_code=USER_UNKNOWN)


def _tell_of_phone(ue: Ue, flags: int, answer: InsertSubscriberDataAnswer, rx: Rx) -> None:
    """What IDR-Flags ask for, of the last that is known: nobody is paged for it."""
    connected = ue.ecm is EcmState.CONNECTED
    if flags & REACHABILITY:
        ue.notify_reachable = True
    if flags & T_ADS:
        answer.ims_voice_over_ps_sessions_supported, answer.rat_type = VOICE_SUPPORTED, EUTRAN
        answer.last_ue_activity_time = int(rx.now if connected else ue.since)
    if flags & USER_STATE:
        state = (CONNECTED if connected else ATTACHED_IDLE) if ue.emm is EmmState.REGISTERED else DETACHED
        answer.eps_user_state = EpsUserState(mme_user_state=MmeUserState(user_state=state))
    if flags & LOCATION:
        answer.eps_location_information = EpsLocationInformation(mme_location_information=MmeLocationInformation(
            e_utran_cell_global_identity=ue.ecgi.to_bytes() if ue.ecgi else None,
            tracking_area_identity=ue.tai.to_bytes() if ue.tai else None,
            age=0 if connected else None))


def apply(mme: Mme, ue: Ue, old: SubscriptionData, rx: Rx) -> Iterator[Effect]:
    """Bring a live phone in line with its new subscription; one that is attaching goes on with it as it is."""
    assert ue.subscription is not None
    if ue.emm is not EmmState.REGISTERED or ue.subscription == old:
        return
    if (objection := subscription.objection(ue.subscription)) is not None:
        yield Verdict("profile push", True, f"{objection[1]}: the phone is detached")
        yield from on_detach_ue(mme, DetachUe(ue.imsi, page=True, by_hss=True), rx)
        return
    gone = [pdn.apn for pdn in ue.pdns.values() if subscription.apn(ue.subscription, pdn.apn) is None]
    if gone and len(gone) == len(ue.pdns):
        yield Verdict("profile push", True, f"no APN of the phone's ({', '.join(gone)}) is left: it shall attach anew")
        yield from on_detach_ue(mme, DetachUe(ue.imsi, reattach=True, page=True, by_hss=True), rx)
        return
    for apn in gone:
        yield Tell("mme", ClosePdn(ue.imsi, apn))
    for pdn in ue.pdns.values():
        if (configuration := subscription.apn(ue.subscription, pdn.apn)) is not None:
            yield from subscribed_qos.push(ue, pdn, configuration)
    if ue.subscription.ambr != old.ambr and ue.context_sent and not ue.releasing:  # an idle phone has it when it comes
        yield ue_context_modification.request(ue)
    yield Verdict("profile push", True, "the phone has its new subscription" + "".join(
        f"; its connection to {apn} ends" for apn in gone))
