# SPDX-License-Identifier: Apache-2.0
"""`make_network` builds networks for a test and, when the test is over, takes everything away and looks for leaks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from network import NOTHING, Network

from dialtone.effects import PeerDown


@pytest.fixture
def make_network(tmp_path: Path) -> Iterator[Callable[..., Network]]:
    made: list[Network] = []

    def make(phones: int = 1, **options: object) -> Network:
        path = tmp_path / str(len(made))
        path.mkdir()
        made.append(Network(path, phones, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for net in made:
        leave_nothing(net)


@pytest.fixture
def net(make_network: Callable[..., Network]) -> Network:
    """One eNB, one phone that tries only once."""
    return make_network()


def leave_nothing(net: Network) -> None:
    """Every eNB goes, every phone stays silent, time passes: nothing of theirs may stay in the core."""
    assert net.loop.counters.get("internal error", 0) == 0
    for phone in net.phones.values():
        phone.deaf = True
    for peer in list(net.core.mme.enbs):
        net.loop.tell("mme", PeerDown("S1-MME", peer, "the test is over"))
    for enb in net.enbs:
        net.loop.tell(enb.name, PeerDown("S1-MME", "mme", "the test is over"))
    net.run(net.config.s1.t3412 + 400)
    mme, pgw = net.core.mme, net.core.pgw
    assert net.leaks() == NOTHING
    tables = (mme.by_imsi, mme.by_m_tmsi, mme.by_s11_teid, mme.ues, mme.enbs, pgw.sessions, pgw.tunnels,
              pgw._bearer_teids, net.forwarder._waiting)
    assert not any(tables)
    assert not any(port.requests.ours for (name, _), port in net.loop.ports.items() if port.requests and name != "gtp")
    assert net.loop.counters.get("internal error", 0) == 0
