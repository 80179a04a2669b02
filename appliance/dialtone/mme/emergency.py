# SPDX-License-Identifier: Apache-2.0
"""Emergency services (TS 23.401, 4.3.12; TS 24.301, 5.5.1.1): off, or put through to a desk of this network.

With `emergency = "desk"` in [network] phones are told of emergency bearer services, may attach for an emergency, and
have a PDN connection to the APN `sos` whatever their subscription says. One without a SIM, or with a SIM that cannot be
proven, is served too, under null algorithms and known by its IMEI (mme/attach.py); it gets nothing else.
"""

from dialtone.codec.diameter import AllocationRetentionPriority, Ambr, ApnConfiguration, EpsSubscribedQosProfile
from dialtone.codec.nas.capabilities import EPSNetworkFeatureSupport
from dialtone.config import EMERGENCY_APN
from dialtone.mme.element import Mme

IMS_SIGNALLING = 5  # QCI
PRIORITY, MAY_PRE_EMPT, NOT_TO_BE_PRE_EMPTED = 1, 0, 1  # ARP (TS 29.212, 5.3.45 to 5.3.47)
RATE = 10_000_000  # bit/s: a call with video
IPV4V6 = 2  # PDN-Type (TS 29.272, 7.3.62)


def served(mme: Mme) -> bool:
    """Whether somebody answers."""
    return mme.config.network.emergency == "desk"


def features(mme: Mme) -> EPSNetworkFeatureSupport:
    """What every attach and update accept says of voice: IMS, and EMC BS where it is served (9.9.3.12A)."""
    return EPSNetworkFeatureSupport.of(ims_vops=True, emc_bs=served(mme))


def configuration(mme: Mme) -> ApnConfiguration | None:
    """The MME emergency configuration data, in place of a subscription (TS 23.401, 4.3.12.4)."""
    if not served(mme):
        return None
    return ApnConfiguration(
        context_identifier=0, pdn_type=IPV4V6, service_selection=EMERGENCY_APN,
        ambr=Ambr(max_requested_bandwidth_ul=RATE, max_requested_bandwidth_dl=RATE),
        eps_subscribed_qos_profile=EpsSubscribedQosProfile(
            qos_class_identifier=IMS_SIGNALLING, allocation_retention_priority=AllocationRetentionPriority(
                priority_level=PRIORITY, pre_emption_capability=MAY_PRE_EMPT,
                pre_emption_vulnerability=NOT_TO_BE_PRE_EMPTED)))
