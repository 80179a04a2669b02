# SPDX-License-Identifier: Apache-2.0
"""`make_network` builds networks for a test and, when the test is over, takes everything away and looks for leaks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from handover_flows import IMSI, Handover
from leaks import held, leave_nothing
from network import Network
from probe import Probe
from s6a_peer import THEIRS, ForeignEnd


@pytest.fixture
def make_network(tmp_path: Path) -> Iterator[Callable[..., Network]]:
    made: list[tuple[Network, dict[str, int]]] = []

    def make(phones: int = 1, **options: object) -> Network:
        path = tmp_path / str(len(made))
        path.mkdir()
        net = Network(path, phones, **options)  # type: ignore[arg-type]
        made.append((net, held(net)))
        return net

    yield make
    for net, before in made:
        leave_nothing(net, before)


@pytest.fixture
def net(make_network: Callable[..., Network]) -> Network:
    """One eNB, one phone that tries only once."""
    return make_network()


@pytest.fixture
def other(net: Network) -> ForeignEnd:
    """Another MME that uses our HSS."""
    return ForeignEnd(net, "hss", THEIRS)


@pytest.fixture
def home(net: Network) -> ForeignEnd:
    """A foreign HSS that talks to our MME out of itself."""
    return ForeignEnd(net, "mme", "hss.example.org")


@pytest.fixture
def idle(net: Network) -> Network:
    """A registered phone that is idle."""
    net.attach()
    net.idle()
    return net


@pytest.fixture
def handover(net: Network) -> Handover:
    net.attach()
    target = Probe(net)
    source = Probe(net, "enb1", setup=False)  # from now on the test speaks for enb1
    return Handover(net, net.core.mme.by_imsi[IMSI], source, target)
