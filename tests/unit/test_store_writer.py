# SPDX-License-Identifier: Apache-2.0
"""The writer thread: group commit, failures that stay alone, and no SQN twice however the process ends."""

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import threading
from dataclasses import dataclass

import pytest

from dialtone.crypto.sqn import DELTA, SEQ_MAX, Use, ind_of, make_sqn, seq_of
from dialtone.errors import LocalError
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.sqn import AHEAD, SqnCounter
from dialtone.hss.store import Store
from dialtone.hss.subscriber import ImsRegistration
from dialtone.hss.writer import commit, commit_now
from dialtone.hss.writes import NoteSeen, PutImsRegistration, PutSubscriber, RemoveSubscriber, ReserveSqn

IMSI = "001010000000001"


@dataclass(frozen=True)
class Wait:
    """Keeps the writer busy, so that what is submitted meanwhile makes one group."""

    event: threading.Event

    def apply(self, db):
        self.event.wait(5)


@dataclass(frozen=True)
class Fail:
    error: Exception

    def apply(self, db):
        db.execute("INSERT INTO seen VALUES ('1', 0, 0, 0, 'must be rolled back')")
        raise self.error


@dataclass(frozen=True)
class DiskFull:
    """What SQLite does when the disk is full: it gives up the whole transaction."""

    def apply(self, db):
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        for n in range(2000):
            db.execute("INSERT INTO seen VALUES (?, 0, 0, 0, ?)", (str(n), "x" * 500))


@pytest.fixture
def reader(tmp_path):
    opened = Store(tmp_path / "dialtone.db")
    yield opened
    opened.close()


@pytest.fixture
def writer(reader):
    opened = reader.open_writer(lambda f, *arguments: f(*arguments))
    yield opened
    opened.close()


def test_a_completion_comes_after_its_commit_and_through_deliver(reader):
    async def scenario():
        loop = asyncio.get_running_loop()
        writer = reader.open_writer(loop.call_soon_threadsafe)
        done = loop.create_future()

        def completed(error):
            done.set_result((error, threading.current_thread(), reader.sqn_mark(IMSI)))

        writer.submit([ReserveSqn(IMSI, 1000)], completed)
        result = await asyncio.wait_for(done, 5)
        writer.close()
        return result

    assert asyncio.run(scenario()) == (None, threading.current_thread(), 1000)


def test_what_waits_is_committed_together_and_in_order(reader, writer):
    order, go = [], threading.Event()
    writer._db.set_trace_callback(lambda sql: order.append(sql) if sql == "COMMIT" else None)
    writer.submit([Wait(go)], lambda error: None)
    for n in range(200):
        writer.submit([ReserveSqn(IMSI, n)], lambda error, n=n: order.append((n, error)))
    go.set()
    writer.close()
    assert [entry for entry in order if entry != "COMMIT"] == [(n, None) for n in range(200)]
    assert order.count("COMMIT") <= 3
    assert reader.sqn_mark(IMSI) == 199


def test_the_store_asks_the_disk_again_after_each_commit_and_only_then(reader):
    subscriber = make_subscriber({"imsi": IMSI, "msisdn": "15550100", "k": "11" * 16, "opc": "22" * 16,
                                  "profile": "default"}, profiles=reader.profiles())
    commit_now(reader.path, [PutSubscriber(subscriber, 0)])
    told, asked = threading.Event(), []
    writer = reader.open_writer(lambda f, *arguments: told.set())
    reader._db.set_trace_callback(asked.append)

    def look():
        return reader.get(IMSI), reader.owner("msisdn", "15550100"), reader.ims_registration(IMSI)

    assert look() == (subscriber, IMSI, None)
    first = len(asked)
    assert look() == (subscriber, IMSI, None)
    assert len(asked) == first
    registration = ImsRegistration(IMSI, "sip:scscf", "scscf", "realm", "registered", False, 1)
    writer.submit([PutImsRegistration(registration)], lambda error: None)
    assert told.wait(5)
    assert look() == (subscriber, IMSI, registration)
    told.clear()
    writer.submit([RemoveSubscriber(IMSI)], lambda error: None)
    assert told.wait(5)
    assert look() == (None, None, None)
    writer.close()
    commit_now(reader.path, [PutSubscriber(subscriber, 0)])  # somebody else, now that the lock is free
    assert look() == (subscriber, IMSI, None)


def test_a_batch_that_fails_fails_alone_and_whole(reader, writer):
    results, go = {}, threading.Event()
    odd = ValueError("odd")
    writer.submit([Wait(go)], lambda error: None)
    writer.submit([NoteSeen("1", 1, "before")], lambda error: results.update(first=error))
    writer.submit([NoteSeen("2", 1, "same batch"), Fail(odd)], lambda error: results.update(second=error))
    writer.submit([RemoveSubscriber(IMSI)], lambda error: results.update(third=error))
    writer.submit([NoteSeen("3", 1, "after")], lambda error: results.update(fourth=error))
    go.set()
    writer.close()
    assert results["first"] is None
    # The database's own refusal (IMSI 1 is in the list by then) arrives in words, our exceptions as they are.
    assert isinstance(results["second"], LocalError)
    assert "UNIQUE" in str(results["second"])
    assert isinstance(results["third"], LocalError)
    assert results["fourth"] is None
    assert sorted(s.imsi for s in reader.seen()) == ["1", "3"]


def test_an_exception_of_a_write_reaches_its_callback(reader, writer):
    results = []
    odd = ValueError("odd")
    writer.submit([Fail(odd)], results.append)
    writer.submit([], results.append)
    writer.close()
    assert results == [odd, None]
    assert reader.seen() == []


def test_a_full_disk_fails_the_group_and_the_next_one_works(reader, writer):
    path = reader.path
    results = []
    batches = [[ReserveSqn(IMSI, 5)], [DiskFull()], [ReserveSqn(IMSI, 6)]]
    for done, error in commit(writer._db, path, [(batch, results.append) for batch in batches]):
        done(error)
    assert len(results) == 3
    assert isinstance(results[1], LocalError)
    assert "full" in str(results[1])
    # Whoever was told that it is safe finds it; whoever was told of an error does not.
    told = {5: results[0], 6: results[2]}
    assert reader.sqn_mark(IMSI) == max((mark for mark, error in told.items() if error is None), default=0)
    writer._db.execute("PRAGMA max_page_count = 1000000")
    writer.submit([ReserveSqn(IMSI, 7)], results.append)
    writer.close()
    assert results[3] is None
    assert reader.sqn_mark(IMSI) == 7


def test_close_drains_and_refuses_what_comes_later(reader, writer):
    results, go = [], threading.Event()
    writer.submit([Wait(go)], results.append)
    for n in range(50):
        writer.submit([ReserveSqn(IMSI, n)], results.append)
    threading.Timer(0.05, go.set).start()
    writer.close()
    writer.close()
    assert results == [None] * 51
    with pytest.raises(LocalError, match="closed"):
        writer.submit([ReserveSqn(IMSI, 99)], results.append)
    commit_now(reader.path, [ReserveSqn(IMSI, 60)])  # the lock is free again
    assert reader.sqn_mark(IMSI) == 60


def test_a_loop_that_has_ended_stops_no_commit(reader):
    def deliver(*_):
        raise RuntimeError("Event loop is closed")

    writer = reader.open_writer(deliver)
    writer.submit([ReserveSqn(IMSI, 5)], lambda error: None)
    writer.close()
    assert reader.sqn_mark(IMSI) == 5


def test_commit_now_is_all_or_nothing(reader):
    with pytest.raises(ValueError, match="odd"):
        commit_now(reader.path, [NoteSeen("9", 1, "x"), Fail(ValueError("odd"))])
    assert reader.seen() == []
    with pytest.raises(LocalError):
        commit_now(reader.path, [NoteSeen("1", 1, "x"), Fail(sqlite3.OperationalError("odd"))])


class Marks:
    """A store of one mark whose commits happen when the test says so."""

    def __init__(self, mark=0):
        self.mark = mark
        self.asked = []

    def take(self, counter, use=Use.EPS):
        sqn, mark = counter.take(use)
        if mark is not None:
            self.asked.append(mark)
        return sqn, mark

    def commit(self):
        self.mark = max([self.mark, *self.asked])


def test_one_reservation_serves_many():
    marks = Marks()
    counter = SqnCounter(lambda: marks.mark)
    taken = []
    for _ in range(10 * AHEAD):
        sqn, mark = marks.take(counter)
        if mark is not None:
            marks.commit()
        assert sqn <= marks.mark
        taken.append(sqn)
    assert len(marks.asked) == 10
    assert [seq_of(s) for s in taken] == list(range(1, 10 * AHEAD + 1))


def test_nothing_leaves_under_a_reservation_that_is_not_safe_yet():
    marks = Marks()
    counter = SqnCounter(lambda: marks.mark)
    for _ in range(AHEAD + 5):
        sqn, mark = marks.take(counter)
        assert mark is not None, "the commit of the first is still under way"
        assert mark >= sqn
    marks.commit()
    assert marks.take(counter)[1] is None


def test_uses_share_seq_and_differ_in_ind():
    marks = Marks()
    counter = SqnCounter(lambda: marks.mark)
    numbers = [marks.take(counter, use)[0] for use in (Use.EPS, Use.IMS, Use.EPS)]
    assert [ind_of(n) for n in numbers] == [0, 1, 0]
    assert [seq_of(n) for n in numbers] == [1, 2, 3]
    assert seq_of(marks.asked[0]) == AHEAD
    assert marks.asked[0] >= make_sqn(AHEAD, 31)


def test_a_restart_goes_on_above_the_mark():
    marks = Marks()
    first = SqnCounter(lambda: marks.mark)
    used = [marks.take(first)[0] for _ in range(3)]
    marks.commit()
    assert marks.take(SqnCounter(lambda: marks.mark))[0] > max(used)
    assert seq_of(marks.take(SqnCounter(lambda: marks.mark))[0]) == AHEAD + 1


@pytest.mark.parametrize("ahead", [1, 31, 32, 1000, DELTA + 7])
def test_resynchronisation_follows_a_usim_that_is_ahead(ahead):
    marks = Marks()
    counter = SqnCounter(lambda: marks.mark)
    sqn, _ = marks.take(counter)
    marks.commit()
    sqn_ms = make_sqn(seq_of(sqn) + ahead, 3)
    counter.resynchronise(sqn_ms)
    sqn, mark = marks.take(counter)
    assert seq_of(sqn) == seq_of(sqn_ms) + 1
    assert max(marks.mark, mark or 0) >= sqn


def test_resynchronisation_with_a_usim_that_is_behind_changes_nothing():
    marks = Marks(make_sqn(500, 31))
    counter = SqnCounter(lambda: marks.mark)
    counter.resynchronise(make_sqn(3, 0))
    assert seq_of(marks.take(counter)[0]) == 501


def test_resynchronisation_comes_down_to_a_usim_that_would_refuse_for_ever():
    marks = Marks(make_sqn(2 * DELTA, 31))
    counter = SqnCounter(lambda: marks.mark)
    counter.resynchronise(make_sqn(9, 0))
    sqn, mark = marks.take(counter)
    assert seq_of(sqn) == 10
    assert mark is None, "the mark on the disk covers it already, and it never falls"


def test_the_last_sequence_number():
    marks = Marks(make_sqn(SEQ_MAX - 1, 31))
    counter = SqnCounter(lambda: marks.mark)
    sqn, mark = marks.take(counter)
    assert seq_of(sqn) == SEQ_MAX
    assert mark == 2**48 - 1
    with pytest.raises(LocalError, match="used up"):
        counter.take(Use.EPS)


# Hands SQNs of several subscribers out as fast as it can, through the writer, and prints each only when it may leave.
_WORKER = """
import os, queue, sys
from dialtone.crypto.sqn import Use
from dialtone.hss.provisioning import make_subscriber
from dialtone.hss.sqn import SqnCounter
from dialtone.hss.store import Store
store = Store(sys.argv[1])
events = queue.SimpleQueue()
writer = store.open_writer(lambda f, *a: events.put((f, a)))
from dialtone.hss.writes import ReserveSqn
imsis = [f"00101{n:010}" for n in range(4)]
counters = {imsi: SqnCounter(lambda imsi=imsi: store.sqn_mark(imsi)) for imsi in imsis}
def leave(imsi, sqn):
    os.write(1, f"{imsi} {sqn}\\n".encode())
turn = 0
while True:
    for imsi in imsis:
        turn += 1
        sqn, mark = counters[imsi].take(Use(turn % 2))
        if mark is None:
            leave(imsi, sqn)
        else:
            writer.submit([ReserveSqn(imsi, mark)], lambda error, i=imsi, s=sqn: leave(i, s))
    while not events.empty():
        f, a = events.get()
        f(*a)
"""


def test_no_sqn_is_handed_out_twice_over_kills(reader):
    draw = random.Random(7)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    used: dict[str, set[int]] = {}
    for _ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(reader.path)], stdout=subprocess.PIPE, env=environment
        ) as process:
            first = process.stdout.read(1)
            assert first, "the worker handed nothing out"
            threading.Timer(draw.uniform(0, 0.02), process.kill).start()
            text = (first + process.stdout.read()).decode()
        lines = text.splitlines()[: None if text.endswith("\n") else -1]
        for imsi, sqn in (line.split() for line in lines):
            seqs = used.setdefault(imsi, set())
            assert seq_of(int(sqn)) not in seqs, f"SEQ of {imsi} used twice"
            seqs.add(seq_of(int(sqn)))
        for imsi, seqs in used.items():
            assert seq_of(reader.sqn_mark(imsi)) >= max(seqs)
    assert sum(map(len, used.values())) > 12 * 4
