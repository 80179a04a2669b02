# SPDX-License-Identifier: Apache-2.0
"""Rows to dataclasses; readers and writes share these. The caller sees to a transaction and to sqlite3.Error."""

import sqlite3
from collections import defaultdict
from typing import Any

from dialtone.hss.subscriber import Apn, ImsRegistration, Profile, Registration, Subscriber, fixed_address

_SUBSCRIBER = (
    "SELECT imsi, k, opc, amf, isim_k, isim_opc, profile, tags, algorithm, res, iterations, ipsec FROM subscriber"
)
# Identities and fixed addresses of subscribers, as (imsi, kind, value), each kind in its order.
REGISTRATION = "SELECT imsi, mme, realm, plmn, since, imei, purged FROM registration"
IMS_REGISTRATION = "SELECT imsi, scscf, host, realm, state, pending, since FROM ims_registration"
_BELONGINGS = (
    "SELECT imsi, kind, value, position FROM identity {0}"
    " UNION ALL SELECT imsi, 'address', apn || '=' || address, apn || version FROM fixed_address {0} ORDER BY 4"
)
_APN = (
    "SELECT profile, name, pdn_type, qci, arp_priority, arp_may_preempt, arp_preemptable, ambr_dl, ambr_ul,"
    " context FROM apn ORDER BY profile, position"
)
_Belongings = dict[str, list[str]]


def read_subscriber(db: sqlite3.Connection, imsi: str) -> Subscriber | None:
    """One subscriber, None if there is none."""
    row = db.execute(f"{_SUBSCRIBER} WHERE imsi = ?", (imsi,)).fetchone()
    if row is None:
        return None
    belongings: _Belongings = defaultdict(list)
    for _, kind, value, _ in db.execute(_BELONGINGS.format("WHERE imsi = ?1"), (imsi,)):
        belongings[kind].append(value)
    return _subscriber(row, read_profiles(db), belongings)


def read_subscribers(db: sqlite3.Connection) -> list[Subscriber]:
    """All subscribers by IMSI, with a fixed number of queries."""
    profiles = read_profiles(db)
    belongings: defaultdict[str, _Belongings] = defaultdict(lambda: defaultdict(list))
    for imsi, kind, value, _ in db.execute(_BELONGINGS.format("")):
        belongings[imsi][kind].append(value)
    rows = db.execute(f"{_SUBSCRIBER} ORDER BY imsi")
    return [_subscriber(row, profiles, belongings[row[0]]) for row in rows]


def read_profiles(db: sqlite3.Connection) -> dict[str, Profile]:
    """All profiles by name."""
    apns: defaultdict[str, list[Apn]] = defaultdict(list)
    for profile, name, pdn_type, qci, priority, may_preempt, preemptable, dl, ul, context in db.execute(_APN):
        apns[profile].append(
            Apn(name, pdn_type, qci, priority, bool(may_preempt), bool(preemptable), dl, ul, context)
        )
    rows = db.execute("SELECT name, ambr_dl, ambr_ul, access_restriction, roaming, ifc FROM profile")
    return {name: Profile(name, tuple(apns[name]), dl, ul, restriction, bool(roaming), ifc)
            for name, dl, ul, restriction, roaming, ifc in rows}


def _subscriber(row: Any, profiles: dict[str, Profile], belongings: _Belongings) -> Subscriber:
    imsi, k, opc, amf, isim_k, isim_opc, profile, tags, algorithm, res, iterations, ipsec = row
    pairs = (text.partition("=") for text in belongings.get("address", ()))
    return Subscriber(
        imsi=imsi,
        k=k,
        opc=opc,
        profile=profiles[profile],
        amf=amf,
        msisdns=tuple(belongings.get("msisdn", ())),
        impi="".join(belongings.get("impi", ())),
        impus=tuple(belongings.get("impu", ())),
        isim_k=isim_k,
        isim_opc=isim_opc,
        tags=tuple(tags.split()),
        addresses=tuple((apn, fixed_address(text)) for apn, _, text in pairs),
        algorithm=algorithm,
        res=res,
        iterations=iterations,
        ipsec=bool(ipsec),
    )


def registration(row: Any) -> Registration:
    """A row of REGISTRATION."""
    imsi, mme, realm, plmn, since, imei, purged = row
    return Registration(imsi, mme, realm, plmn, since, imei, bool(purged))


def ims_registration(row: Any) -> ImsRegistration:
    """A row of IMS_REGISTRATION."""
    imsi, scscf, host, realm, state, pending, since = row
    return ImsRegistration(imsi, scscf, host, realm, state, bool(pending), since)
