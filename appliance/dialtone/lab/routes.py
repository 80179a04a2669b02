# SPDX-License-Identifier: Apache-2.0
"""The paths of the API and the commands behind them, for a network that has no server."""

import re
from typing import Any

from dialtone.errors import LocalError

# Method and path -> command. {name} is an argument of the command; query and body are the others.
_ROUTES = """
GET /status status
GET /ues ues
POST /ues/{imsi}:detach ue.detach
POST /ues/{imsi}:guti ue.guti
POST /ues/{imsi}:close ue.close
POST /ues/{imsi}:add-bearer ue.bearer.add
POST /ues/{imsi}:remove-bearer ue.bearer.remove
POST /ues/{imsi}:locate ue.locate
GET /enbs enbs
POST /enbs/{enb}:reset enb.reset
POST /overload enb.overload
GET /warnings warnings
POST /warnings warning.send
DELETE /warnings/{identifier} warning.stop
GET /counters counters
GET /leaks leaks
GET /diameter/peers diameter.peers
POST /diameter/peers/{host}:connect diameter.connect
POST /diameter/peers/{host}:disconnect diameter.disconnect
GET /gtp/peers gtp.peers
GET /subscribers subscribers.list
POST /subscribers subscribers.add
POST /subscribers:import subscribers.import
GET /subscribers/seen subscribers.seen
GET /subscribers/{imsi} subscribers.get
PATCH /subscribers/{imsi} subscribers.edit
DELETE /subscribers/{imsi} subscribers.remove
POST /subscribers/{imsi}:cancel subscribers.cancel
POST /subscribers/{imsi}:deregister subscribers.deregister
GET /profiles profiles.list
POST /profiles profiles.add
GET /profiles/{name} profiles.get
PATCH /profiles/{name} profiles.edit
DELETE /profiles/{name} profiles.remove
POST /profiles/{name}:undo profiles.undo
POST /hss:reset hss.reset
GET /ims/registrations ims.registrations
POST /ims/registrations/{who}:deregister ims.deregister
GET /calls calls.records
GET /sms sms.list
POST /sms sms.send
POST /sms:broadcast sms.broadcast
GET /sms/progress sms.progress
POST /sms:cancel sms.cancel
GET /ipsec/phones ipsec.phones
GET /sim/phones sim.status
GET /sim/enbs sim.enbs
POST /sim/network:break sim.break-network
POST /sim/enbs/{enb}:announce sim.enb
GET /sim/phones/{imsi}/sms sim.inbox
GET /sim/phones/{imsi}/sms/sent sim.sent
GET /sim/phones/{imsi}/texts sim.texts
POST /sim/phones/{imsi}:register sim.ims-register
POST /sim/phones/{imsi}:deregister sim.ims-deregister
"""
_PHONE = re.compile(r"/sim/phones/(\d+):(\w+)")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(f"(?P<{part}>[^/:]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)))


_TABLE = [(method, _pattern(path), command) for method, path, command in
          (line.split() for line in _ROUTES.strip().splitlines())]


def find(method: str, path: str, query: dict[str, Any], body: Any) -> tuple[str, dict[str, Any]]:
    """The command of a request, and its arguments. Raises LocalError where there is none."""
    given = {"csv": body.decode("utf-8-sig", "replace")} if isinstance(body, bytes) else dict(body or {})
    args = query | {name: value for name, value in given.items() if value is not None or name == "fault"}
    for its_method, pattern, command in _TABLE:
        if its_method == method and (match := pattern.fullmatch(path)):
            return command, args | match.groupdict()
    if method == "POST" and (match := _PHONE.fullmatch(path)):
        return f"sim.{match[2]}", args | {"imsi": match[1]}
    raise LocalError(f"Nothing answers to {method} {path} here.", remedy="Start a whole Dialtone: ./build.sh demo.")
