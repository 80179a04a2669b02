# SPDX-License-Identifier: Apache-2.0
"""EIA and EEA (TS 33.401, 5.1.3.2, 5.1.4.2, 7.2.4.3): the network's preference meets what a phone can."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from network import ONE_TRY, Network, imsi_of, settings

from dialtone.codec.nas import SecurityModeCommand
from dialtone.config import Config, ConfigError, load
from dialtone.sim.states import EmmState

EVERYTHING = "f070"  # EEA0 to EEA3, EIA1 to EIA3
Attach = Callable[[Config, str], Network]


@pytest.fixture
def attach(make_network: Callable[..., Network]) -> Attach:
    """A network of this config after one phone with this UE network capability has tried to attach."""

    def attach(config: Config, capability: str) -> Network:
        net = make_network(config=config, handset=replace(ONE_TRY, network_capability=bytes.fromhex(capability)))
        net.attach()
        return net

    return attach


def chosen(net: Network) -> tuple[int, int]:
    """EIA and EEA of the security mode command on the wire."""
    command = net.nas("Security mode command")
    assert isinstance(command, SecurityModeCommand)
    algorithms = command.selected_nas_security_algorithms
    return algorithms.integrity, algorithms.ciphering


@pytest.mark.parametrize("eea", [0, 1, 2, 3])
@pytest.mark.parametrize("eia", [1, 2, 3])
def test_attach_and_detach_with_every_pair(attach: Attach, eia: int, eea: int) -> None:
    net = attach(settings(eia=(eia,), eea=(eea,)), EVERYTHING)
    assert chosen(net) == (eia, eea)
    assert net.phones[imsi_of(1)].emm == EmmState.REGISTERED
    assert net.detach().emm == EmmState.DEREGISTERED
    assert net.names("NAS")[-1] == "Detach accept"


@pytest.mark.parametrize(
    ("capability", "pair"),
    [
        ("f070", (2, 2)),  # AES where the phone has it, as it costs least
        ("d050", (1, 1)),
        ("9010", (3, 3)),
        ("e010", (3, 2)),  # each is chosen for itself
        ("8020", (2, 0)),
    ],
)
def test_the_default_preference(attach: Attach, capability: str, pair: tuple[int, int]) -> None:
    assert chosen(attach(Config(), capability)) == pair


def test_the_configured_preference_wins(attach: Attach) -> None:
    assert chosen(attach(settings(eia=(3, 2), eea=(0, 2)), EVERYTHING)) == (3, 0)


@pytest.mark.parametrize("capability", ["f000", "8010"], ids=["no EIA", "no EEA of ours"])
def test_a_phone_without_any_of_ours_is_refused_with_cause_23(attach: Attach, capability: str) -> None:
    net = attach(settings(eia=(3,), eea=(1,)), capability)
    assert net.nas("Attach reject").emm_cause == 23  # type: ignore[attr-defined]
    assert "none of the algorithms" in net.verdicts()[-1]


def test_the_keys_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dialtone.toml"
    path.write_text("[network]\neia = [3, 1]\neea = [0]\n")
    network = load([path]).network
    assert (network.eia, network.eea) == ((3, 1), (0,))
    assert (Config().network.eia, Config().network.eea) == ((2, 1, 3), (2, 1, 3, 0))
    assert replace(network, eia=(2, 1, 3), eea=(2, 1, 3, 0)) == Config().network


@pytest.mark.parametrize(
    "line",
    ["eia = [0]", "eia = [2, 0]", "eia = []", "eia = 2", "eia = [2, 2]", "eea = [4]", "eea = [true]", 'eea = ["2"]'],
)
def test_what_no_algorithm_is(tmp_path: Path, line: str) -> None:
    path = tmp_path / "dialtone.toml"
    path.write_text(f"[network]\n{line}\n")
    with pytest.raises(ConfigError, match=rf"line 2: network\.{line[:3]} must be a list of different algorithms"):
        load([path])
