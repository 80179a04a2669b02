# SPDX-License-Identifier: Apache-2.0
"""The core, or its IMS alone, stops and starts again on the same database; phones and eNBs go on."""

from collections.abc import Collection
from ipaddress import IPv4Address

from network import Network

from dialtone import wiring
from dialtone.commands import Commands
from dialtone.effects import PeerUp
from dialtone.scscf.element import Scscf


def _stop(net: Network, names: Collection[str]) -> None:
    """Nothing that these elements remember, wait for or measure is left."""
    for key in net.loop.timers():
        if isinstance(key, tuple) and key[0] in names:
            net.loop.cancel(key)
    for key, port in net.loop.ports.items():
        if key[0] in names and port.requests is not None:
            port.requests = port.requests.policy.start(port, port.requests.numbers)  # type: ignore[attr-defined]


def restart(net: Network) -> None:
    """All of the core. Of the kernel's and the user plane's tables nothing is left either: a start clears them."""
    gm, names = net.gm, [name for name in net.loop.elements if not name.startswith(("ue-", "ims-", "sos-", "enb"))]
    net.lose_s1()
    _stop(net, names)
    net.sas.clear()
    net.streams.clear()
    net.core.sms.box.close()
    net.forwarder.__init__(  # type: ignore[misc]
        IPv4Address(net.config.s1.address).packed, router=wiring.advertised(net.config))
    net.core = wiring.build(net.config, net.loop, net.store, net.s1_mme, random=net.random, inside=True, gm=gm)
    net.commands = Commands(net.core, net.store, net, net.forwarder)
    for enb in net.enbs:
        net.loop.tell(enb.name, PeerUp("S1-MME", "mme"))
    net.run(1)


def restart_registrar(net: Network) -> None:
    """The S-CSCF alone: the P-CSCF may be of another maker, or another machine."""
    net.run()
    _stop(net, ["scscf"])
    net.core.scscf = Scscf(net.config, net.random)
    net.loop.add(net.core.scscf)
