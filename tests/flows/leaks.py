# SPDX-License-Identifier: Apache-2.0
"""The leak check that every flow shares: when all phones and eNBs are gone, no element holds anything of theirs.

It knows no table by name. Whatever container hangs below an element, also one that is added tomorrow, must be as empty
in the end as it was in the beginning; what may stay stands in KEPT with its reason.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from network import Network

from dialtone.effects import PeerDown
from dialtone.sim.ims.client import ImsClient
from dialtone.sim.ims.registration import DeregisterCommand
from dialtone.sim.phone import Phone
from dialtone.sim.power import BreakCommand

KEPT = {
    "mme.memory": "GUTI and keys of the last phones that went, bounded (TS 23.401, 5.3.2.1)",
    "pgw.addresses.pools._fixed": "addresses that are reserved for subscribers",
    "hss.subscribers": "the subscribers that the test added",
    "hss._keyed": "their algorithms, made once",
    "diameter.theirs": "requests of peers that may come again, for four minutes (RFC 6733, 3)",
    "diameter.seen": "likewise",
    "mme.sought": "phones that texts wait for, bounded (TS 29.338, 5.6)",
    "sms.boxes": "texts that wait for phones that are away, as on the disk",
    "sms.budgets": "how many texts a phone sent in its last minute, bounded",
    "sms.directory": "the subscribers that the test added",
    "gtp.paths": "the peers of the config, and who else was served",
}
SUPERVISED = ("gtp", "diameter")  # their paths are asked after for ever
CONSTANT = ("config", "counters", "drops", "events", "on", "loop", "store", "camped", "warnings")
"""Attributes that hold nothing of a phone: of these, who listens to a cell and a warning stay until that ends."""


def held(net: Network) -> dict[str, int]:
    """Path and size of every container below an element that is not empty."""
    roots = {**net.loop.elements, "forwarder": net.forwarder}
    found: dict[str, int] = {}
    for name, root in roots.items():
        if _ours(root) and not isinstance(root, Phone | ImsClient):
            for path, size in _below(root, name, set()):
                if size and not path.startswith(tuple(KEPT)):
                    found[path] = found.get(path, 0) + size
    return found


def _below(root: Any, path: str, seen: set[int]) -> Iterator[tuple[str, int]]:
    if id(root) in seen:
        return
    seen.add(id(root))
    slots = [name for cls in type(root).__mro__ for name in getattr(cls, "__slots__", ())]
    for name in (*slots, *getattr(root, "__dict__", ())):
        value = getattr(root, name, None)
        if name in CONSTANT or isinstance(value, str | int | bytes | tuple | frozenset):
            continue
        here = f"{path}.{name}"
        if isinstance(value, Mapping | set | list | deque):
            yield here, len(value)
            for each in value.values() if isinstance(value, Mapping) else value:
                if _ours(each):
                    yield from _below(each, here, seen)
        elif _ours(value):
            yield from _below(value, here, seen)


def _ours(value: Any) -> bool:
    return type(value).__module__.startswith("dialtone.") and not isinstance(value, str | int | tuple | type)


def leave_nothing(net: Network, before: dict[str, int]) -> None:
    """Every eNB goes, every phone stays silent, time passes: nothing of theirs may stay.

    `before` is what is `held` without any phone.
    """
    assert net.loop.counters.get("internal error", 0) == 0
    _leave_ims(net)
    for phone in net.phones.values():
        phone.deaf = True
    for peer in list(net.core.mme.enbs):
        net.loop.tell("mme", PeerDown("S1-MME", peer, "the test is over"))
    for enb in net.enbs:
        net.loop.tell(enb.name, PeerDown("S1-MME", "mme", "the test is over"))
    net.run(net.config.s1.t3412 + 400)
    assert {path: size for path, size in held(net).items() if size > before.get(path, 0)} == {}
    elements = {name for name, element in net.loop.elements.items()
                if not isinstance(element, Phone | ImsClient)}
    assert [key for key in net.loop.timers() if isinstance(key, tuple) and key[0] in elements - {*SUPERVISED}
            and key[1] != "warning repetition" and key[:2] != ("sms", "retry")] == []
    assert [message for port in net.loop.ports.values() if port.requests
            for message in (request.message.NAME for request in port.requests.waiting())
            if message != "Echo Request"] == []
    assert net.loop.counters.get("internal error", 0) == 0


def _leave_ims(net: Network) -> None:
    """IMS outlives a phone that vanishes, for as long as its registration was granted: those here go properly, once
    they are mended and have tried again."""
    for command, seconds in ((BreakCommand(), 700.0), (DeregisterCommand(), 300.0)):
        for client in net.ims.values():
            net.loop.tell(client.name, command)
        net.run(seconds if net.ims else 0)
