# SPDX-License-Identifier: Apache-2.0
"""Everything that the command line can do, the API can: each verb has its route, or a reason why it is local."""

from collections.abc import Iterator

import click
import pytest

from dialtone.api.app import routes
from dialtone.cli import main

_SIM = "/sim/phones/{imsi}"
ROUTES = {
    "call records": "GET /calls",
    "class answers": "GET /class/answers.csv", "class close": "POST /class:close",
    "class expel": "DELETE /class/students/{nickname}", "class open": "POST /class:open",
    "class reset": "POST /class:reset", "class show": "GET /class",
    "decode": "GET /trace/{number}", "diagnose": "GET /diagnose",
    "diameter connect": "POST /diameter/peers/{host}:connect",
    "diameter disconnect": "POST /diameter/peers/{host}:disconnect", "diameter peers": "GET /diameter/peers",
    "enb capacity": "POST /capacity", "enb list": "GET /enbs", "enb overload": "POST /overload",
    "enb reset": "POST /enbs/{enb}:reset",
    "gtp peers": "GET /gtp/peers",
    "ims deregister": "POST /ims/registrations/{who}:deregister", "ims registrations": "GET /ims/registrations",
    "ipsec keys": "GET /ipsec/esp_sa", "ipsec list": "GET /ipsec/phones", "ipsec sas": "GET /ipsec/phones",
    "profile add": "POST /profiles", "profile edit": "PATCH /profiles/{name}", "profile list": "GET /profiles",
    "profile remove": "DELETE /profiles/{name}", "profile show": "GET /profiles/{name}",
    "profile undo": "POST /profiles/{name}:undo",
    **{f"sim {verb}": f"POST {_SIM}:{verb}" for verb in (
        "answer", "ask", "attach", "break", "call", "close", "detach", "drop", "exec", "handover", "hangup", "hold",
        "idle", "memory", "open", "power", "service", "sms", "text", "update", "video")},
    "sim ims-register": f"POST {_SIM}:register", "sim ims-deregister": f"POST {_SIM}:deregister",
    "sim inbox": f"GET {_SIM}/sms", "sim sent": f"GET {_SIM}/sms/sent", "sim texts": f"GET {_SIM}/texts",
    "sim enbs": "GET /sim/enbs", "sim list": "GET /sim/phones",
    "sms broadcast": "POST /sms:broadcast", "sms cancel": "POST /sms:cancel", "sms list": "GET /sms",
    "sms progress": "GET /sms/progress", "sms send": "POST /sms",
    "status": "GET /status",
    "subscriber add": "POST /subscribers", "subscriber cancel": "POST /subscribers/{imsi}:cancel",
    "subscriber deregister": "POST /subscribers/{imsi}:deregister", "subscriber edit": "PATCH /subscribers/{imsi}",
    "subscriber import": "POST /subscribers:import", "subscriber list": "GET /subscribers",
    "subscriber remove": "DELETE /subscribers/{imsi}", "subscriber reset": "POST /hss:reset",
    "subscriber seen": "GET /subscribers/seen", "subscriber show": "GET /subscribers/{imsi}",
    "token rotate": "POST /tokens/{role}:rotate",
    "trace": "GET /trace",
    "ue bearer add": "POST /ues/{imsi}:add-bearer", "ue bearer remove": "POST /ues/{imsi}:remove-bearer",
    "ue bearers": "GET /ues", "ue close": "POST /ues/{imsi}:close", "ue detach": "POST /ues/{imsi}:detach",
    "ue guti": "POST /ues/{imsi}:guti", "ue list": "GET /ues", "ue locate": "POST /ues/{imsi}:locate",
    "warning list": "GET /warnings", "warning send": "POST /warnings",
    "warning stop": "DELETE /warnings/{identifier}",
}
HERE_ONLY = {
    "api": "starts the API itself", "core": "starts the core", "demo": "starts everything", "sim run": "starts phones",
    "sim faults": "lists what the program itself knows",
    "config check": "reads a file of this machine, before a core runs", "config ula": "makes a line for that file",
    "notebooks": "is JupyterLab itself", "selftest": "plugs a simulated eNB into this machine, as root",
    "doctor": "looks at this machine's kernel and programs", "where": "reads the program itself",
    "trace diff": "compares files of this machine", "trace import": "reads captures of this machine",
    "trace replay": "plays a recording of this machine",
}


def verbs(group: click.Group, *names: str) -> Iterator[str]:
    """Every command of the tree; a group that does something by itself is one, too."""
    context = click.Context(group)
    if names and group.invoke_without_command:
        yield " ".join(names)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from verbs(command, *names, name)
        else:
            yield " ".join((*names, name))


def test_every_verb_has_its_place() -> None:
    found = set(verbs(main))
    assert found - set(ROUTES) - set(HERE_ONLY) == set(), "a new verb: give it a route, or say why not"
    assert (set(ROUTES) | set(HERE_ONLY)) - found == set(), "verbs that are no more"
    assert not set(ROUTES) & set(HERE_ONLY)


@pytest.mark.parametrize("verb", ROUTES)
def test_the_route_of_a_verb_is_served(verb: str) -> None:
    served = {f"{method} {path.removeprefix('/api/v1')}" for method, path, _ in routes()}
    assert ROUTES[verb] in served
