# SPDX-License-Identifier: Apache-2.0
"""The asyncio skin: timers fire in time and in order, signals end it, defects do not."""

import asyncio
import gc
import os
import resource
import signal
import threading
import time

import pytest

from dialtone.loop import Loop
from dialtone.runtime import Runtime, as_many_files_as_may_be, epoch_clock
from dialtone.sim.config import sample_phones
from dialtone.sim.process import MOST_PHONES


def test_the_clock_is_the_wall_clock_and_does_not_jump() -> None:
    clock = epoch_clock()
    assert abs(clock() - time.time()) < 1
    assert clock() <= clock()


def test_a_process_may_have_files_for_many_phones() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
    try:
        as_many_files_as_may_be()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_as_many_phones_as_there_may_be_have_cards_of_their_own() -> None:
    phones = sample_phones(MOST_PHONES)
    assert len({phone.usim.imsi for phone in phones}) == len({phone.handset.imeisv for phone in phones}) == MOST_PHONES
    assert {len(phone.handset.imeisv) for phone in phones} == {16}


def test_timers_fire_in_order_and_a_sooner_one_overtakes() -> None:
    async def run() -> None:
        loop = Loop(epoch_clock())
        fired: list[tuple[str, float]] = []

        def after(name: str, seconds: float) -> None:
            due = loop.clock() + seconds
            loop.later(name, seconds, lambda: fired.append((name, loop.clock() - due)))

        async with Runtime(loop):
            after("slow", 0.5)
            await asyncio.sleep(0.01)
            after("quick", 0.03)  # armed while the slow one is
            after("never", 0.05)
            loop.cancel("never")
            async with asyncio.timeout(10):
                while len(fired) < 2:
                    await asyncio.sleep(0.01)
        assert [name for name, _ in fired] == ["quick", "slow"]
        assert all(0 <= late < 2 for _, late in fired)

    asyncio.run(run())


def test_what_other_threads_hand_in_runs_in_the_loops_thread() -> None:
    async def run() -> None:
        loop = Loop(epoch_clock())
        ran: list[threading.Thread] = []
        async with Runtime(loop) as runtime:
            def hand_in() -> None:
                runtime.from_thread(lambda: loop.later("x", 0, lambda: ran.append(threading.current_thread())))

            threading.Thread(target=hand_in).start()
            async with asyncio.timeout(10):
                while not ran:
                    await asyncio.sleep(0.01)
        assert ran == [threading.current_thread()]

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_closers_run_backwards(number: signal.Signals) -> None:
    async def run() -> None:
        loop = Loop(epoch_clock())
        closed: list[str] = []

        async def later() -> None:
            await asyncio.sleep(0)
            closed.append("first opened")

        def broken() -> None:
            raise OSError("cannot close")

        async with Runtime(loop) as runtime:
            runtime.at_close(later)
            runtime.at_close(broken)
            runtime.at_close(lambda: closed.append("last opened"))
            os.kill(os.getpid(), number)
            async with asyncio.timeout(10):
                await runtime.stopped()
        assert closed == ["last opened", "first opened"]

    asyncio.run(run())


def test_a_defect_costs_one_call_and_not_the_queue() -> None:
    async def run() -> None:
        loop = Loop(epoch_clock())
        problems: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context["exception"]))
        ran: list[str] = []

        def broken() -> None:
            raise ZeroDivisionError

        async with Runtime(loop):
            loop.later("a", 0, broken)
            loop.later("b", 0, lambda: ran.append("b"))
            await asyncio.sleep(0.05)
        assert ran == ["b"]
        assert [type(problem) for problem in problems] == [ZeroDivisionError]

    asyncio.run(run())


def test_garbage_is_collected_when_there_is_nothing_to_do() -> None:
    async def run() -> None:
        loop = Loop(epoch_clock())
        walks: list[int] = []

        def noted(phase: str, info: dict[str, int]) -> None:
            if phase == "stop" and info["generation"] == 2:
                walks.append(loop.counters.get("busy", 0))

        def busy() -> None:
            loop.count("busy")
            if loop.counters["busy"] < 50:
                loop.later("busy", 0.01, busy)

        gc.callbacks.append(noted)
        try:
            async with Runtime(loop) as runtime, asyncio.timeout(20):
                busy()
                gc.collect()
                walks.clear()
                runtime.collect(0.01, 0.3)
                while not walks:
                    await asyncio.sleep(0.05)
        finally:
            gc.callbacks.remove(noted)
        assert walks[0] == 50

    asyncio.run(run())
