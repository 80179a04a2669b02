# SPDX-License-Identifier: Apache-2.0
"""Subscription-Data (TS 29.272, 7.3.2) of a subscriber, and what of it changed."""

from dataclasses import dataclass, fields, replace
from ipaddress import IPv6Network

from dialtone.codec.diameter import (
    AllocationRetentionPriority,
    Ambr,
    ApnConfiguration,
    ApnConfigurationProfile,
    EpsSubscribedQosProfile,
    SubscriptionData,
)
from dialtone.hss.subscriber import Apn, Subscriber

SERVICE_GRANTED = 0
PACKET_ONLY = 2  # Network-Access-Mode (TS 29.272, 7.3.21)
PDN_TYPES = {"IPv4": 0, "IPv6": 1, "IPv4v6": 2, "IPv4_OR_IPv6": 3}
ALL_INCLUDED, MODIFIED = 0, 1  # All-APN-Configurations-Included-Indicator (7.3.33)
MSISDN_WITHDRAWN, CONTEXTS_WITHDRAWN = 1 << 23, 1 << 3  # DSR-Flags (7.3.25)


def data(subscriber: Subscriber) -> SubscriptionData:
    """All of it, as an Update-Location Answer carries it."""
    profile = subscriber.profile
    return SubscriptionData(
        subscriber_status=SERVICE_GRANTED,
        msisdn=subscriber.msisdns[0] if subscriber.msisdns else None,
        network_access_mode=PACKET_ONLY,
        access_restriction_data=profile.access_restriction or None,
        ambr=Ambr(max_requested_bandwidth_ul=profile.ambr_ul, max_requested_bandwidth_dl=profile.ambr_dl),
        apn_configuration_profile=ApnConfigurationProfile(
            context_identifier=_context(profile.apns[0], 1),  # the first APN of the profile is the default one
            all_apn_configurations_included_indicator=ALL_INCLUDED,
            apn_configuration=tuple(_apn(number, apn, subscriber) for number, apn in enumerate(profile.apns, 1)),
        ),
    )


def _context(apn: Apn, number: int) -> int:
    return apn.context or number


def _apn(number: int, apn: Apn, subscriber: Subscriber) -> ApnConfiguration:
    return ApnConfiguration(
        context_identifier=_context(apn, number),
        served_party_ip_address=tuple(  # of a prefix its first address (TS 29.272, 7.3.35)
            fixed.network_address if isinstance(fixed, IPv6Network) else fixed
            for fixed in subscriber.addresses_at(apn.name)),
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


@dataclass(frozen=True, slots=True)
class Difference:
    """What an MME has to be told: `inserted` by Insert-Subscriber-Data, None for nothing; the rest by
    Delete-Subscriber-Data, which comes second, so that a default APN never goes before the new one is there."""

    inserted: SubscriptionData | None
    dsr_flags: int = 0
    contexts: tuple[int, ...] = ()


def difference(before: Subscriber, after: Subscriber) -> Difference:
    """The AVPs that changed, and no others (TS 29.272, 5.2.2.1)."""
    old, new = data(before), data(after)
    new.access_restriction_data = after.profile.access_restriction  # 0 takes back what was there
    old.access_restriction_data = before.profile.access_restriction
    profile, withdrawn = _profile(old.apn_configuration_profile, new.apn_configuration_profile)
    changed = {field.name: getattr(new, field.name) for field in fields(new)
               if getattr(new, field.name) not in (None, (), getattr(old, field.name))}
    changed.pop("apn_configuration_profile", None)
    if profile is not None:
        changed["apn_configuration_profile"] = profile
    flags = (CONTEXTS_WITHDRAWN if withdrawn else 0) | (MSISDN_WITHDRAWN if old.msisdn and not new.msisdn else 0)
    return Difference(SubscriptionData(**changed) if changed else None, flags, withdrawn)


def _profile(old: ApnConfigurationProfile | None, new: ApnConfigurationProfile | None
             ) -> tuple[ApnConfigurationProfile | None, tuple[int, ...]]:
    """The APNs that are new or changed, and the Context-Identifiers of those that are gone; all of them where
    identifiers now mean other APNs."""
    assert old is not None
    assert new is not None
    had = {apn.context_identifier: apn for apn in old.apn_configuration}
    has = {apn.context_identifier: apn for apn in new.apn_configuration}
    if any(had[context].service_selection.lower() != has[context].service_selection.lower()
           for context in had.keys() & has.keys()):
        return new, ()
    changed = tuple(apn for context, apn in has.items() if had.get(context) != apn)
    withdrawn = tuple(had.keys() - has.keys())
    if new.context_identifier != old.context_identifier and not changed:
        changed = (has[new.context_identifier],)  # the grouped AVP has at least one
    if not changed:
        return None, withdrawn
    return replace(new, all_apn_configurations_included_indicator=MODIFIED, apn_configuration=changed), withdrawn
