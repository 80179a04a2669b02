# SPDX-License-Identifier: Apache-2.0
"""Update Location (TS 29.272, 5.2.1.1): the MME serves the subscriber and gets the subscription."""

from dialtone.codec.diameter import (
    AllocationRetentionPriority,
    Ambr,
    ApnConfiguration,
    ApnConfigurationProfile,
    EpsSubscribedQosProfile,
    ExperimentalResultCode,
    ResultCode,
    SubscriptionData,
    UpdateLocationAnswer,
    UpdateLocationRequest,
)
from dialtone.codec.diameter.table import UnknownAvp
from dialtone.dispatch import Rx
from dialtone.effects import Answer, Effects
from dialtone.hss.element import Hss, experimental, on
from dialtone.hss.subscriber import Apn, Subscriber

SERVICE_GRANTED = 0
PACKET_ONLY = 2  # Network-Access-Mode (TS 29.272, 7.3.21)
SEPARATION = 1  # ULA-Flags: the MME may keep what an SGSN has (TS 29.272, 7.3.8)
PERIODIC_UPDATE = UnknownAvp(1619, 10415, 0x80, (3240).to_bytes(4))
"""Subscribed-Periodic-RAU-TAU-Timer (TS 29.272, 7.3.134), seconds. Its place is in Subscription-Data; NextEPC's MME
looks for it beside that, and attaches nobody without it."""
PDN_TYPES = {"IPv4": 0, "IPv6": 1, "IPv4v6": 2, "IPv4_OR_IPv6": 3}


@on("S6a", UpdateLocationRequest)
def on_update_location_request(hss: Hss, msg: UpdateLocationRequest, rx: Rx) -> Effects:
    """The subscription, or that there is none."""
    rx.subject = msg.user_name
    subscriber = hss.subscribers.get(msg.user_name)
    answer = UpdateLocationAnswer(session_id=msg.session_id, origin_host=hss.origin_host,
                                  origin_realm=hss.origin_realm, proxy_info=msg.proxy_info)
    if subscriber is None:
        answer.experimental_result = experimental(ExperimentalResultCode.DIAMETER_ERROR_USER_UNKNOWN)
    elif not subscriber.profile.apns:
        answer.experimental_result = experimental(ExperimentalResultCode.DIAMETER_ERROR_UNKNOWN_EPS_SUBSCRIPTION)
    else:
        answer.result_code = ResultCode.DIAMETER_SUCCESS
        answer.ula_flags = SEPARATION
        answer.subscription_data = _subscription(subscriber)
        answer.unknown = (PERIODIC_UPDATE,)
    yield Answer(answer)


def _subscription(subscriber: Subscriber) -> SubscriptionData:
    profile = subscriber.profile
    return SubscriptionData(
        subscriber_status=SERVICE_GRANTED,
        msisdn=subscriber.msisdns[0] if subscriber.msisdns else None,
        network_access_mode=PACKET_ONLY,
        ambr=Ambr(max_requested_bandwidth_ul=profile.ambr_ul, max_requested_bandwidth_dl=profile.ambr_dl),
        apn_configuration_profile=ApnConfigurationProfile(
            context_identifier=1,  # the first APN of the profile is the default one
            all_apn_configurations_included_indicator=0,
            apn_configuration=tuple(
                _apn(number, apn, subscriber) for number, apn in enumerate(profile.apns, 1)),
        ),
    )


def _apn(number: int, apn: Apn, subscriber: Subscriber) -> ApnConfiguration:
    fixed = subscriber.address(apn.name)
    return ApnConfiguration(
        context_identifier=number,
        served_party_ip_address=(fixed,) if fixed else (),
        pdn_type=PDN_TYPES[apn.pdn_type],
        service_selection=apn.name,
        eps_subscribed_qos_profile=EpsSubscribedQosProfile(
            qos_class_identifier=apn.qci,
            allocation_retention_priority=AllocationRetentionPriority(
                priority_level=apn.arp_priority,
                pre_emption_capability=0 if apn.arp_may_preempt else 1,
                pre_emption_vulnerability=0 if apn.arp_preemptable else 1,
            ),
        ),
        ambr=Ambr(max_requested_bandwidth_ul=apn.ambr_ul, max_requested_bandwidth_dl=apn.ambr_dl),
    )
