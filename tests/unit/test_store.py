# SPDX-License-Identifier: Apache-2.0
"""The store: what is read, what a write does, what it refuses, and what happens to a file that is not right."""

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Network

import pytest

from dialtone.errors import LocalError
from dialtone.hss import schema, store, writes
from dialtone.hss.lock import StoreLock
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Apn, Profile, Registration, Seen, Subscriber
from dialtone.hss.writer import commit_now
from dialtone.hss.writes import (
    NoteSeen,
    PutProfile,
    PutRegistration,
    PutSubscriber,
    RemoveProfile,
    RemoveSubscriber,
    ReserveSqn,
)

IMSI = "001010000000001"
OTHER = "001010000000002"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dialtone.db"


@pytest.fixture
def reader(path):
    opened = Store(path)
    yield opened
    opened.close()


@pytest.fixture
def alice(reader):
    return Subscriber(
        imsi=IMSI,
        k=bytes(range(16)),
        opc=bytes(range(16, 32)),
        profile=reader.profiles()["default"],
        amf=b"\x80\x01",
        msisdns=("41791234567", "1001"),
        impi=f"{IMSI}@ims.mnc001.mcc001.3gppnetwork.org",
        impus=("tel:+41791234567", "sip:b@x", "sip:a@x"),
        isim_k=bytes(range(32, 48)),
        isim_opc=bytes(range(48, 64)),
        tags=("class-a", "bench"),
        addresses=(("ims", IPv4Address("10.46.0.9")), ("internet", IPv4Address("10.45.0.9")),
                   ("internet", IPv6Network("2001:db8:cafe:9::/64"))),
    )


def test_what_is_put_is_read_back(path, reader, alice):
    assert reader.get(IMSI) is None
    commit_now(path, [PutSubscriber(alice, now=1)])
    assert reader.get(IMSI) == alice
    assert reader.subscribers() == [alice]
    assert reader.get(IMSI).addresses_at("INTERNET") == tuple(address for _, address in alice.addresses[1:])
    assert reader.get(IMSI).profile.apn("IMS").qci == 5
    assert reader.owner("impu", "sip:a@x") == reader.owner("msisdn", "1001") == IMSI
    assert reader.owner("impi", "nobody") is None


def test_a_subscriber_without_extras(path, reader, alice):
    plain = Subscriber(imsi=OTHER, k=bytes(16), opc=bytes(16), profile=alice.profile)
    commit_now(path, [PutSubscriber(plain, now=1)])
    assert reader.get(OTHER) == plain


def test_reads_see_each_change_at_once(path, reader, alice):
    commit_now(path, [PutSubscriber(alice, now=1)])
    assert reader.get(IMSI).tags == ("class-a", "bench")
    changed = replace(alice, tags=("x",), impus=("sip:new@x",), addresses=())
    commit_now(path, [PutSubscriber(changed, now=2, overwrite=True)])
    assert reader.get(IMSI) == changed
    assert reader.owner("impu", "sip:a@x") is None
    profile = replace(alice.profile, ambr_dl=5, apns=(Apn("internet", qci=8),))
    commit_now(path, [PutProfile(profile)])
    assert reader.get(IMSI).profile == profile
    commit_now(path, [RemoveSubscriber(IMSI)])
    assert reader.get(IMSI) is None


def test_the_cache_is_bounded(path, reader, alice, monkeypatch):
    monkeypatch.setattr(store, "_CACHED", 3)
    several = [replace(alice, imsi=f"00101{n:010}", msisdns=(), impi="", impus=(), addresses=()) for n in range(9)]
    commit_now(path, [PutSubscriber(s, now=1) for s in several])
    assert [reader.get(s.imsi) for s in several] == several
    assert len(reader._subscribers) <= 3


def test_subscribers_by_tag(path, reader, alice):
    other = Subscriber(imsi=OTHER, k=bytes(16), opc=bytes(16), profile=alice.profile, tags=("class-b",))
    commit_now(path, [PutSubscriber(alice, now=1), PutSubscriber(other, now=1)])
    assert reader.subscribers(tag="class-b") == [other]
    assert reader.subscribers(tag="class") == []


def test_keys_are_in_no_repr(alice):
    for secret in (alice.k, alice.opc, alice.isim_k, alice.isim_opc):
        for text in (repr(alice), str(alice), repr(PutSubscriber(alice, now=1)), f"{alice}"):
            assert repr(secret) not in text
            assert secret.hex() not in text
    assert IMSI in repr(alice)


def test_nothing_is_overwritten_silently(path, reader, alice):
    commit_now(path, [PutSubscriber(alice, now=1)])
    commit_now(path, [PutSubscriber(alice, now=2)])  # the same again is no conflict
    with pytest.raises(LocalError, match="there already"):
        commit_now(path, [PutSubscriber(replace(alice, k=bytes(16)), now=2)])
    assert reader.get(IMSI) == alice


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"msisdns": ("1001",)}, "MSISDN 1001"),
        ({"impi": f"{IMSI}@ims.mnc001.mcc001.3gppnetwork.org"}, "IMPI"),
        ({"impus": ("sip:c@x", "sip:a@x")}, "IMPU sip:a@x"),
        ({"addresses": (("Internet", IPv4Address("10.45.0.9")),)}, "10.45.0.9 at Internet"),
        ({"addresses": (("internet", IPv6Network("2001:db8:cafe:9::/64")),)}, "2001:db8:cafe:9::/64 at internet"),
        ({"profile": Profile("gold", (Apn("internet"),))}, "no profile 'gold'"),
    ],
)
def test_what_belongs_to_another_is_refused_and_nothing_is_left(path, reader, alice, changes, text):
    commit_now(path, [PutSubscriber(alice, now=1)])
    plain = Subscriber(imsi=OTHER, k=bytes(16), opc=bytes(16), profile=alice.profile)
    with pytest.raises(LocalError, match=text):
        commit_now(path, [PutSubscriber(replace(plain, **changes), now=1)])
    assert reader.get(OTHER) is None
    assert reader.subscribers() == [alice]


def test_removing_needs_somebody_and_keeps_the_mark(path, reader, alice):
    with pytest.raises(LocalError, match="no subscriber"):
        commit_now(path, [RemoveSubscriber(IMSI)])
    commit_now(path, [PutSubscriber(alice, now=1), ReserveSqn(IMSI, 4096)])
    commit_now(path, [RemoveSubscriber(IMSI)])
    assert reader.owner("msisdn", "1001") is None
    assert reader.sqn_mark(IMSI) == 4096


def test_a_mark_never_falls(path, reader):
    assert reader.sqn_mark(IMSI) == 0
    commit_now(path, [ReserveSqn(IMSI, 2**48 - 1)])
    commit_now(path, [ReserveSqn(IMSI, 32)])
    assert reader.sqn_mark(IMSI) == 2**48 - 1


def test_profiles(path, reader, alice):
    gold = Profile("gold", (Apn("ims", qci=5), Apn("internet", pdn_type="IPv4")), ambr_dl=1, ambr_ul=2)
    commit_now(path, [PutProfile(gold)])
    assert reader.profiles()["gold"] == gold
    assert reader.profiles()["default"].apns[0].name == "internet"
    commit_now(path, [PutSubscriber(replace(alice, profile=gold), now=1)])
    assert reader.get(IMSI).profile == gold
    with pytest.raises(LocalError, match="1 subscribers"):
        commit_now(path, [RemoveProfile("gold")])
    commit_now(path, [RemoveSubscriber(IMSI), RemoveProfile("gold")])
    assert "gold" not in reader.profiles()
    with pytest.raises(LocalError, match="no APN"):
        commit_now(path, [PutProfile(Profile("empty", ()))])
    with pytest.raises(LocalError, match="no profile"):
        commit_now(path, [RemoveProfile("gold")])


def test_seen_counts_until_the_card_is_added(path, reader, alice):
    commit_now(path, [NoteSeen(IMSI, 100, "#8"), NoteSeen(OTHER, 150, "#8"), NoteSeen(IMSI, 200, "#15")])
    assert reader.seen() == [Seen(IMSI, 100, 200, 2, "#15"), Seen(OTHER, 150, 150, 1, "#8")]
    commit_now(path, [PutSubscriber(alice, now=300)])
    assert [s.imsi for s in reader.seen()] == [OTHER]


def test_seen_does_not_grow_without_end(path, reader, monkeypatch):
    monkeypatch.setattr(writes, "_SEEN_KEPT", 5)
    commit_now(path, [NoteSeen(f"00101{n:010}", n, "x" * 1000) for n in range(20)])
    assert [s.last for s in reader.seen()] == [19, 18, 17, 16, 15]
    assert len(reader.seen()[0].reason) == 200


def test_only_one_process_writes(path, reader, alice):
    holder = "import sys, pathlib, time; from dialtone.hss.lock import StoreLock"
    code = f"{holder}; lock = StoreLock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LocalError, match=f"in use by process {process.pid}"):
            commit_now(path, [PutSubscriber(alice, now=1)])
        with pytest.raises(LocalError, match="running core"):
            reader.open_writer(lambda f, *a: f(*a))
        assert reader.get(IMSI) is None  # reading needs no lock
        process.kill()  # however the process ends, its lock ends with it
    commit_now(path, [PutSubscriber(alice, now=1)])
    assert reader.get(IMSI) == alice


def test_the_lock_can_be_taken_again(path):
    lock = StoreLock(path)
    with pytest.raises(LocalError):
        StoreLock(path)
    lock.release()
    lock.release()
    with StoreLock(path):
        pass


def test_the_file_is_its_owners_alone_and_durable(path, reader):
    assert path.stat().st_mode & 0o077 == 0
    db = schema.connect(path, write=True)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,), "FULL: a commit is on the disk when it returns"
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_a_store_cannot_be_changed_through_a_reader(reader):
    with pytest.raises(sqlite3.OperationalError):
        reader._db.execute("DELETE FROM profile")


def test_garbage_is_explained(path):
    path.write_bytes(os.urandom(8192))
    with pytest.raises(LocalError, match=r"damaged.*backup"):
        Store(path)


def test_a_damaged_page_is_explained(path, alice):
    profile = alice.profile
    several = [
        Subscriber(imsi=f"00101{n:010}", k=os.urandom(16), opc=bytes(16), profile=profile, tags=("x" * 99,))
        for n in range(300)
    ]
    commit_now(path, [PutSubscriber(s, now=1) for s in several])
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = bytearray(path.read_bytes())
    for page in range(8, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = os.urandom(64)
    path.write_bytes(data)
    with pytest.raises(LocalError, match="damaged"):
        Store(path)


def test_a_foreign_database_is_left_alone(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE holiday (photo BLOB)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(LocalError, match="no database of Dialtone"):
        Store(path)
    assert path.read_bytes() == before


def test_a_newer_database_is_left_alone(path):
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LocalError, match=r"newer Dialtone \(version 99, this one knows \d+\)"):
        Store(path)


def test_an_older_database_is_copied_and_migrated(path, alice, monkeypatch):
    commit_now(path, [PutSubscriber(alice, now=1)])
    second = path.with_name("second.sql")
    second.write_text("ALTER TABLE subscriber ADD COLUMN note TEXT NOT NULL DEFAULT 'migrated';")
    before = len(schema.MIGRATIONS)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, str(second)))
    migrated = Store(path)
    assert migrated._rows("SELECT note FROM subscriber") == [("migrated",)]
    assert migrated.get(IMSI) == alice
    migrated.close()
    backup = path.with_name(f"dialtone.db.version{before}")
    assert backup.stat().st_mode & 0o077 == 0
    monkeypatch.undo()
    old = Store(backup)
    assert old.get(IMSI) == alice
    old.close()


def test_a_table_that_is_replaced_keeps_what_refers_to_it(path, alice, monkeypatch):
    commit_now(path, [PutSubscriber(alice, now=1)])
    with sqlite3.connect(path) as db:
        (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'subscriber'").fetchone()
    db.close()
    second = path.with_name("second.sql")
    second.write_text(f"{made.replace('TABLE subscriber', 'TABLE other')};"
                      "INSERT INTO other SELECT * FROM subscriber; DROP TABLE subscriber;"
                      "ALTER TABLE other RENAME TO subscriber;")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, str(second)))
    store = Store(path)
    assert store.get(IMSI) == alice
    store.close()
    commit_now(path, [RemoveSubscriber(IMSI)])
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM identity").fetchone() == (0,)
    db.close()


def test_an_apn_keeps_its_context_identifier(path, reader):
    default = reader.profiles()["default"]
    internet, ims = default.apns
    extra = replace(internet, name="extra")
    for apns, contexts in (((ims, internet), [2, 1]), ((ims, extra), [2, 3]), ((extra, internet, ims), [3, 4, 2])):
        commit_now(path, [PutProfile(replace(default, apns=apns))])
        assert [apn.context for apn in reader.profiles()["default"].apns] == contexts


def test_what_a_profile_was(path, reader):
    default = reader.profiles()["default"]
    assert reader.past_profile("default") is None
    commit_now(path, [PutProfile(default)])
    assert reader.past_profile("default") is None, "nothing changed"
    changed = replace(default, ambr_dl=5, roaming=False)
    commit_now(path, [PutProfile(changed)])
    assert reader.past_profile("default") == default
    commit_now(path, [PutProfile(default)])
    assert reader.past_profile("default") == changed


def test_a_registration_goes_with_its_subscriber(path, reader, alice):
    served = Registration(IMSI, "mme.example.org", "example.org", "001/01", 7, "35622410483840", purged=True)
    with pytest.raises(LocalError):
        commit_now(path, [PutRegistration(served)])
    commit_now(path, [PutSubscriber(alice, now=1), PutRegistration(served)])
    assert reader.registration(IMSI) == served
    assert reader.registrations() == [served]
    commit_now(path, [RemoveSubscriber(IMSI)])
    assert reader.registration(IMSI) is None


def test_a_migration_that_fails_changes_nothing(path, alice, monkeypatch):
    commit_now(path, [PutSubscriber(alice, now=1)])
    second = path.with_name("second.sql")
    second.write_text("DROP TABLE seen; CREATE TABLE nonsense (;")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, str(second)))
    with pytest.raises(LocalError):
        Store(path)
    monkeypatch.undo()
    unharmed = Store(path)
    assert (unharmed.get(IMSI), unharmed.seen()) == (alice, [])
    unharmed.close()


def test_a_directory_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(LocalError, match="cannot be opened"):
        Store(tmp_path / "nowhere" / "dialtone.db")


def test_the_hot_path_imports_nothing_large():
    code = (
        "import sys, dialtone.hss.store, dialtone.hss.writes, dialtone.hss.sqn, dialtone.crypto.aka\n"
        "assert not {'pycrate_core', 'click'} & set(sys.modules), sorted(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
