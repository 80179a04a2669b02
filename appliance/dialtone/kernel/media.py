# SPDX-License-Identifier: Apache-2.0
"""The media of calls in the firewall: from phone to phone pass the flows of live calls only (TS 23.203, 4.3.3.1)."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from dialtone.effects import OpenMedia
from dialtone.errors import LocalError
from dialtone.kernel import nft

log = logging.getLogger("dialtone.kernel.media")

MOST_PORTS = 4
"""So wide a range of ports a flow may have: RTP and RTCP have one each, or a pair."""


class MediaSet:
    """The flows from phone to phone that are open, as elements of two sets; other threads write them, all at once.

    The user plane has checked each packet already; this is the lock for what may come past it one day.
    """

    def __init__(self, apply: Callable[[str], None] | None = None) -> None:
        self._apply = apply or nft.run
        self._open: dict[tuple[bytes, bytes], frozenset[tuple[str, str]]] = {}
        self._dirty = False
        self._task: asyncio.Task[None] | None = None

    def put(self, effect: OpenMedia) -> None:
        """What a phone's calls have open from now on."""
        elements = frozenset(media_elements(effect))
        if elements:
            self._open[effect.ue, effect.prefix] = elements
        else:
            self._open.pop((effect.ue, effect.prefix), None)
        self._dirty = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._dirty:
            self._dirty = False
            wanted = sorted({element for elements in self._open.values() for element in elements})
            try:
                await asyncio.to_thread(self._apply, media_text(wanted))
            except LocalError as error:
                log.warning("media of calls: %s", error)


def media_elements(effect: OpenMedia) -> Iterator[tuple[str, str]]:
    """Family and element of each UDP flow from the phone to one address; nothing for a flow that is wider."""
    for flow in effect.flows:
        own = effect.ue if flow.remote and len(flow.remote.address) == 4 else effect.prefix
        if flow.out or flow.protocol not in (None, 17) or flow.remote is None or not own:
            continue
        ends = [range(low, high + 1) for low, high in (flow.local_ports or (0, 65535), flow.remote_ports or (0, 65535))]
        if max(map(len, ends)) > MOST_PORTS or set(flow.remote.mask) != {255}:
            continue
        family = "ip" if len(own) == 4 else "ip6"
        source = flow.local.address if len(own) == 8 and flow.local and flow.local.address[:8] == own else own
        if len(source) == 8:
            continue  # an IPv6 phone has many addresses: the flow must name one
        for port, remote_port in itertools.product(*ends):
            yield family, f"{ip_address(source)} . {port} . {ip_address(flow.remote.address)} . {remote_port}"


def media_text(elements: Iterable[tuple[str, str]]) -> str:
    """Both sets with these elements, in one transaction."""
    wanted = list(elements)
    lines = []
    for family in nft.MEDIA:
        lines.append(f"flush set {nft.TABLE} media_{family}")
        if of_family := [element for one, element in wanted if one == family]:
            lines.append(f"add element {nft.TABLE} media_{family} {nft.elements(of_family)}")
    return "\n".join([*lines, ""])
