# SPDX-License-Identifier: Apache-2.0
"""The bench measures what works: its core is put together by hand, and must keep up with the real one."""

from pathlib import Path

from tests.bench.crowd import service, storm
from tests.bench.network import Network


def test_phones_behind_two_enbs_attach_come_back_from_idle_and_storm(tmp_path: Path) -> None:
    with Network(6, tmp_path, enbs=2) as network:
        network.cycles(6)
        network.attach(*network.phones)
        network.connect_to(network.phones[1], "ims")
        waited, cpu = service(network, network.phones[0], 2)
        assert waited > 0
        assert cpu > 0
        assert storm(network).met
        for phone in network.phones:
            network.detach(phone)
