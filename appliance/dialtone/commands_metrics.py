# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked for Prometheus: what is counted, and how much of each there is."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dialtone.control import Args, Command
from dialtone.datapath.forwarder import Forwarder
from dialtone.kernel.ipsec import statistics

if TYPE_CHECKING:
    from dialtone.wiring import Core

_RESULTS = ("ok", "failed")


class MetricsCommands:
    """The one command. Without a `forwarder` no user data is counted."""

    def __init__(self, core: "Core", forwarder: Forwarder | None) -> None:
        self.core = core
        self.forwarder = forwarder
        self.started = time.time()

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"metrics": self.metrics}

    def metrics(self, args: Args) -> Any:
        """{} -> for each metric rows of [labels, value]."""
        core, loop = self.core, self.core.loop
        counted = [(*what.rpartition(" ")[::2], what, count) for what, count in loop.counters.items()]
        phones = Counter((str(ue.emm), str(ue.ecm)) for ue in core.mme.by_imsi.values())
        bearers = Counter(bearer.qci for ue in core.mme.ues.values() for pdn in ue.pdns.values()
                          for bearer in pdn.bearers.values())
        return {
            "start_time": [[{}, self.started]],
            "messages": [[{"kind": kind, "point": point, "name": name}, count]
                         for (kind, point, name), count in loop.bus.counters.items() if kind != "done"],
            "procedures": [[{"procedure": name, "result": result}, count]
                           for name, result, _, count in counted if result in _RESULTS],
            "failures": [[{"procedure": name, "cause": cause}, count]
                         for (name, cause), count in loop.failures.items()],
            "events": [[{"event": what}, count] for _, result, what, count in counted if result not in _RESULTS],
            "enbs": [[{}, len(core.mme.enbs)]],
            "phones": [[{"emm": emm, "ecm": ecm}, count] for (emm, ecm), count in phones.items()],
            "sessions": _by("apn", Counter(apn for _, apn in core.pgw.sessions)),
            "bearers": _by("qci", bearers),
            "ims_users": [[{}, len(core.scscf.users)]],
            "calls": [[{}, len(core.scscf.calls)]],
            "diameter": _by("event", core.diameter.counters if core.diameter else {}),
            "xfrm": _by("event", statistics()),
            **self._passed(),
        }

    def _passed(self) -> dict[str, Any]:
        if self.forwarder is None:
            return {}
        up, down = self.forwarder.passed()
        return {"user_packets": [[{"direction": "up"}, up[0]], [{"direction": "down"}, down[0]]],
                "user_bytes": [[{"direction": "up"}, up[1]], [{"direction": "down"}, down[1]]],
                "dropped": _by("reason", self.forwarder.drops)}


def _by(label: str, counted: Mapping[Any, int]) -> list[list[Any]]:
    return [[{label: str(name)}, count] for name, count in counted.items()]
