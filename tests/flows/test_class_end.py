# SPDX-License-Identifier: Apache-2.0
"""The end of a class: texts and trace are forgotten, SIM cards stay, and what is on its way arrives."""

import asyncio
from pathlib import Path

from network import Network
from text_flows import ALICE, BOB, text, two

from dialtone.control import Args


def forget(net: Network) -> dict[str, int]:
    async def run() -> dict[str, int]:
        found: dict[str, int] = await net.commands.table()["class.forget"](Args())
        return found

    return asyncio.run(run())


def test_nothing_is_left_but_the_cards(tmp_path: Path) -> None:
    net = Network(tmp_path)
    two(net)
    text(net)
    net.detach(BOB, switch_off=True)
    text(net, "kept for a phone that is away")
    assert net.core.sms.boxes[BOB].texts
    found = forget(net)
    assert found["texts"] == 2
    assert found["events"] > 50
    assert net.events() == []
    net.run()
    assert net.core.sms.box.latest(100) == []
    assert net.core.sms.boxes == {}
    assert net.store.get(ALICE) is not None
    net.attach(BOB)
    text(net, "after it")
    assert [one.text for one in net.phones[BOB].texts.inbox] == ["Hello", "after it"]


def test_a_text_on_its_way_arrives_and_leaves_nothing(tmp_path: Path) -> None:
    net = Network(tmp_path)
    two(net)
    text(net, seconds=0.0)
    for _ in range(2000):
        if BOB in net.core.sms.boxes and net.core.sms.boxes[BOB].tried is not None:
            break
        net.run(0.001)
    forget(net)
    net.run(10)
    assert net.core.sms.boxes == {}
    assert net.core.sms.box.latest(100) == []
    assert net.loop.counters.get("internal error", 0) == 0
