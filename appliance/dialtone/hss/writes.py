# SPDX-License-Identifier: Apache-2.0
"""Every change of the store, as a value that applies itself inside a transaction of somebody else.

None of them begins or ends a transaction. A write that cannot be done raises LocalError and leaves its savepoint to
be rolled back by who applies it.
"""

import itertools
import json
import sqlite3
from dataclasses import asdict, dataclass

from dialtone.errors import LocalError
from dialtone.hss.rows import read_profiles, read_subscriber
from dialtone.hss.subscriber import ImsRegistration, Profile, Registration, Subscriber

_SEEN_KEPT = 500
_PAST_KEPT = 20  # former states of each profile


@dataclass(frozen=True, slots=True)
class ReserveSqn:
    """No SQN above `mark` (48 bits) is handed out for `imsi` before a further reservation. A mark never falls."""

    imsi: str
    mark: int

    def apply(self, db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT INTO sqn VALUES (?, ?) ON CONFLICT (imsi) DO UPDATE SET mark = max(mark, excluded.mark)",
            (self.imsi, self.mark),
        )


@dataclass(frozen=True, slots=True)
class PutSubscriber:
    """Add a subscriber; with `overwrite` replace the one that has this IMSI. `now` in Unix seconds.

    Raises LocalError when a different subscriber with this IMSI is there and `overwrite` is not set, when an MSISDN,
    IMPI, IMPU or fixed address is somebody else's, and when the profile is unknown.
    """

    subscriber: Subscriber
    now: int
    overwrite: bool = False

    def apply(self, db: sqlite3.Connection) -> None:
        subscriber = self.subscriber
        present = read_subscriber(db, subscriber.imsi)
        if present == subscriber:
            return
        if present is not None and not self.overwrite:
            raise LocalError(
                f"IMSI {subscriber.imsi} is there already, with other data.",
                remedy="Edit it, or say explicitly that it shall be overwritten.",
            )
        if subscriber.profile.name not in read_profiles(db):
            raise LocalError(f"There is no profile {subscriber.profile.name!r}.", remedy="Create it first.")
        self._put_row(db)
        self._put_belongings(db)
        db.execute("DELETE FROM seen WHERE imsi = ?", (subscriber.imsi,))
        _touch(db)

    def _put_row(self, db: sqlite3.Connection) -> None:
        s = self.subscriber
        db.execute(
            "INSERT INTO subscriber (imsi, k, opc, amf, isim_k, isim_opc, profile, tags, algorithm, res, iterations,"
            " created, changed, ipsec) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?13)"
            " ON CONFLICT (imsi) DO UPDATE SET k = ?2, opc = ?3, amf = ?4, isim_k = ?5, isim_opc = ?6, profile = ?7,"
            " tags = ?8, algorithm = ?9, res = ?10, iterations = ?11, changed = ?12,"
            " ipsec = ?13",
            (s.imsi, s.k, s.opc, s.amf, s.isim_k, s.isim_opc, s.profile.name, " ".join(s.tags), s.algorithm, s.res,
             s.iterations, self.now, s.ipsec),
        )

    def _put_belongings(self, db: sqlite3.Connection) -> None:
        s = self.subscriber
        db.execute("DELETE FROM identity WHERE imsi = ?", (s.imsi,))
        db.execute("DELETE FROM fixed_address WHERE imsi = ?", (s.imsi,))
        impis = (s.impi,) if s.impi else ()
        for kind, values in (("msisdn", s.msisdns), ("impi", impis), ("impu", s.impus)):
            for position, value in enumerate(values):
                owner = db.execute("SELECT imsi FROM identity WHERE kind = ? AND value = ?", (kind, value)).fetchone()
                _refuse_foreign(kind.upper(), value, owner)
                db.execute("INSERT INTO identity VALUES (?, ?, ?, ?)", (kind, value, s.imsi, position))
        for apn, address in s.addresses:
            place = (apn, str(address))
            owner = db.execute("SELECT imsi FROM fixed_address WHERE apn = ? AND address = ?", place).fetchone()
            _refuse_foreign("The address", f"{address} at {apn}", owner)
            db.execute("INSERT INTO fixed_address (apn, address, imsi, version) VALUES (?, ?, ?, ?)",
                       (*place, s.imsi, address.version))


@dataclass(frozen=True, slots=True)
class PutRegistration:
    """Who serves a subscriber from now on. Raises sqlite3.IntegrityError where there is no such subscriber any more."""

    registration: Registration

    def apply(self, db: sqlite3.Connection) -> None:
        r = self.registration
        db.execute(
            "INSERT OR REPLACE INTO registration (imsi, mme, realm, plmn, since, imei, purged)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (r.imsi, r.mme, r.realm, r.plmn, r.since, r.imei, r.purged),
        )


@dataclass(frozen=True, slots=True)
class PutImsRegistration:
    """Which S-CSCF has a subscriber, and how. Raises sqlite3.IntegrityError where there is no such subscriber."""

    registration: ImsRegistration

    def apply(self, db: sqlite3.Connection) -> None:
        r = self.registration
        db.execute(
            "INSERT OR REPLACE INTO ims_registration (imsi, scscf, host, realm, state, pending, since)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)", (r.imsi, r.scscf, r.host, r.realm, r.state, r.pending, r.since),
        )


@dataclass(frozen=True, slots=True)
class ForgetImsRegistration:
    """No S-CSCF has the subscriber any more."""

    imsi: str

    def apply(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM ims_registration WHERE imsi = ?", (self.imsi,))


@dataclass(frozen=True, slots=True)
class RemoveSubscriber:
    """Remove a subscriber; its SQN mark stays, for the card may come back. Raises LocalError if there is none."""

    imsi: str

    def apply(self, db: sqlite3.Connection) -> None:
        if db.execute("DELETE FROM subscriber WHERE imsi = ?", (self.imsi,)).rowcount == 0:
            raise LocalError(f"There is no subscriber {self.imsi}.", remedy="List them to find the right IMSI.")
        _touch(db)


@dataclass(frozen=True, slots=True)
class PutProfile:
    """Add a profile or replace the one of this name, which is kept for an undo.

    An APN keeps its Context-Identifier; a new one gets one that no APN of the profile had.
    """

    profile: Profile

    def apply(self, db: sqlite3.Connection) -> None:
        p = self.profile
        if not p.apns:
            raise LocalError(f"Profile {p.name!r} has no APN.", remedy="Name at least one; the first is the default.")
        present = read_profiles(db).get(p.name)
        if present == p:
            return
        if present is not None:
            _keep(db, present)
        db.execute(
            "INSERT INTO profile (name, ambr_dl, ambr_ul, access_restriction, roaming, ifc)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT (name) DO UPDATE SET ambr_dl = ?2, ambr_ul = ?3, access_restriction = ?4, roaming = ?5,"
            " ifc = ?6",
            (p.name, p.ambr_dl, p.ambr_ul, p.access_restriction, p.roaming, p.ifc),
        )
        contexts = {apn.name.lower(): apn.context for apn in present.apns} if present else {}
        unused = itertools.count(max(contexts.values(), default=0) + 1)
        db.execute("DELETE FROM apn WHERE profile = ?", (p.name,))
        for n, a in enumerate(p.apns):
            qos = (a.qci, a.arp_priority, a.arp_may_preempt, a.arp_preemptable, a.ambr_dl, a.ambr_ul)
            context = contexts.get(a.name.lower()) or next(unused)
            db.execute(
                "INSERT INTO apn (profile, position, name, pdn_type, qci, arp_priority, arp_may_preempt,"
                " arp_preemptable, ambr_dl, ambr_ul, context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (p.name, n, a.name, a.pdn_type, *qos, context),
            )
        _touch(db)


@dataclass(frozen=True, slots=True)
class RemoveProfile:
    """Remove a profile that no subscriber has. Raises LocalError otherwise."""

    name: str

    def apply(self, db: sqlite3.Connection) -> None:
        used = db.execute("SELECT count(*) FROM subscriber WHERE profile = ?", (self.name,)).fetchone()[0]
        if used:
            raise LocalError(f"Profile {self.name!r} has {used} subscribers.", remedy="Give them another one first.")
        if (present := read_profiles(db).get(self.name)) is not None:
            _keep(db, present)
        if db.execute("DELETE FROM profile WHERE name = ?", (self.name,)).rowcount == 0:
            raise LocalError(f"There is no profile {self.name!r}.", remedy="List the profiles.")
        _touch(db)


@dataclass(frozen=True, slots=True)
class NoteSeen:
    """An unknown IMSI tried to attach at `now` (Unix seconds). The list keeps the 500 latest."""

    imsi: str
    now: int
    reason: str

    def apply(self, db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT INTO seen VALUES (?1, ?2, ?2, 1, ?3)"
            " ON CONFLICT (imsi) DO UPDATE SET last = ?2, count = count + 1, reason = ?3",
            (self.imsi, self.now, self.reason[:200]),
        )
        # A stranger can make up IMSIs without end.
        db.execute(
            "DELETE FROM seen WHERE imsi IN (SELECT imsi FROM seen ORDER BY last DESC, imsi LIMIT -1 OFFSET ?)",
            (_SEEN_KEPT,),
        )


def _keep(db: sqlite3.Connection, profile: Profile) -> None:
    """Remember what a profile was."""
    db.execute("INSERT INTO past_profile (name, was) VALUES (?, ?)", (profile.name, json.dumps(asdict(profile))))
    db.execute(
        "DELETE FROM past_profile WHERE name = ?1 AND id NOT IN"
        " (SELECT id FROM past_profile WHERE name = ?1 ORDER BY id DESC LIMIT ?2)", (profile.name, _PAST_KEPT),
    )


def _touch(db: sqlite3.Connection) -> None:
    # Readers keep what they read until they see another number here.
    db.execute("UPDATE generation SET n = n + 1")


def _refuse_foreign(what: str, value: str, owner: tuple[str] | None) -> None:
    if owner is not None:
        raise LocalError(f"{what} {value} is subscriber {owner[0]}'s.", remedy="Each belongs to one subscriber only.")
