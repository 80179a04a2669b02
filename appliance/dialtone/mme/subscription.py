# SPDX-License-Identifier: Apache-2.0
"""Subscription-Data in the MME (TS 29.272, 5.2.2): laying new data over the old, and what it forbids."""

from dataclasses import fields, replace

from dialtone.codec.diameter import ApnConfiguration, ApnConfigurationProfile, SubscriptionData

NO_SUITABLE_CELLS = 15
EUTRAN_NOT_ALLOWED = 1 << 4  # Access-Restriction-Data: WB-E-UTRAN (TS 29.272, 7.3.31)
BARRED, ALL_PACKET_SERVICES = 1, 1 << 0  # Subscriber-Status (7.3.29), Operator-Determined-Barring (7.3.30)
MODIFIED = 1  # All-APN-Configurations-Included-Indicator (7.3.33)


def objection(data: SubscriptionData) -> tuple[int, str] | None:
    """EMM cause and sentence for a subscription that does not allow us to serve the phone."""
    if (data.access_restriction_data or 0) & EUTRAN_NOT_ALLOWED:
        return NO_SUITABLE_CELLS, "the subscription does not allow LTE (access restriction)"
    if data.subscriber_status == BARRED and (data.operator_determined_barring or 0) & ALL_PACKET_SERVICES:
        return NO_SUITABLE_CELLS, "all packet services of the subscriber are barred"
    return None


def merged(old: SubscriptionData, new: SubscriptionData) -> SubscriptionData:
    """`old` with every AVP of `new` in place of its own; of APNs those with the same Context-Identifier (5.2.2.1.2)."""
    values = {field.name: getattr(new, field.name) for field in fields(new)}
    given = {name: value for name, value in values.items() if value not in (None, ())}
    profile = new.apn_configuration_profile
    if profile is not None and profile.all_apn_configurations_included_indicator == MODIFIED:
        given["apn_configuration_profile"] = _merged_profile(old.apn_configuration_profile, profile)
    return replace(old, **given)


def _merged_profile(old: ApnConfigurationProfile | None, new: ApnConfigurationProfile) -> ApnConfigurationProfile:
    apns = {apn.context_identifier: apn for apn in (*(old.apn_configuration if old else ()), *new.apn_configuration)}
    return replace(new, all_apn_configurations_included_indicator=0, apn_configuration=tuple(apns.values()))


def without(old: SubscriptionData, contexts: tuple[int, ...]) -> SubscriptionData:
    """`old` less the APNs with these Context-Identifiers."""
    profile = old.apn_configuration_profile
    if profile is None:
        return old
    kept = tuple(apn for apn in profile.apn_configuration if apn.context_identifier not in contexts)
    return replace(old, apn_configuration_profile=replace(profile, apn_configuration=kept))


def apn(data: SubscriptionData, name: str) -> ApnConfiguration | None:
    """The APN of that name, whatever its case."""
    profile = data.apn_configuration_profile
    found = (one for one in (profile.apn_configuration if profile else ())
             if one.service_selection.lower() == name.lower())
    return next(found, None)
