# SPDX-License-Identifier: Apache-2.0
"""Too many phones at once: cause #22 with T3346, each phone with its own value (TS 24.301, 5.3.9, 5.5.1.2.5)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from network import Network, imsi_of

from dialtone.codec import nas
from dialtone.config import Config
from dialtone.sim.attach import AttachCommand
from dialtone.sim.phone import Handset
from dialtone.sim.states import EmmState


def test_who_comes_too_many_comes_later(make_network: Callable[..., Network]) -> None:
    config = replace(Config(), s1=replace(Config().s1, overload=2))
    net = make_network(12, config=config, handset=Handset())
    for number in range(1, 13):
        net.loop.tell(f"ue-{imsi_of(number)}", AttachCommand())
    net.run(1)
    rejects: list[Any] = [nas.decode(event.plain or event.data) for event in net.sent("Attach reject")]
    assert rejects
    assert {reject.emm_cause for reject in rejects} == {22}
    waits = {reject.t3346_value.seconds for reject in rejects}
    assert waits <= set(range(30, 61, 2))
    assert len(waits) > 1
    assert any("too many phones" in text for text in net.verdicts())
    net.run(180)
    assert all(phone.emm == EmmState.REGISTERED for phone in net.phones.values())
    assert all(phone.attempts == 0 for phone in net.phones.values())
