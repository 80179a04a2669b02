# SPDX-License-Identifier: Apache-2.0
"""Does it work? Simulated phones attach, ping, register, text and call: for the demo and for the appliance."""

import time
from collections.abc import Callable

from dialtone.lab.client import Client

IMS_PATIENCE = 90.0  # seconds for all phones to register; user-mode Linux takes some ten
ECHO = "600"
Say = Callable[[str], None]


def check(client: Client, gateway: str, say: Say) -> bool:
    """Attach every simulated phone, ping the gateway from each, let the first one text the second and call the echo,
    detach; True when all of it worked."""
    good = True
    phones = client.get("/sim/phones")
    for phone in phones:
        client.post(f"/sim/phones/{phone['imsi']}:attach")
    for phone in phones:
        said = client.post(f"/sim/phones/{phone['imsi']}:exec", {"argv": ["ping", "-c", "2", "-W", "5", gateway]})
        good &= said["code"] == 0
        result = f"attached, {gateway} answers its ping" if said["code"] == 0 else said["stdout"] or said["stderr"]
        say(f"{phone['imsi']}: {result}")
    good &= _voice(client, say)
    for phone in phones:
        client.post(f"/sim/phones/{phone['imsi']}:detach")
    rest = {name: count for name, count in client.get("/leaks").items() if name != "timers" and count}
    if rest:
        say(f"left behind after the detach: {rest}")
    return good and not rest


def _voice(client: Client, say: Say) -> bool:
    """Wait for the phones to register to IMS, and use it."""
    deadline = time.monotonic() + IMS_PATIENCE
    phones = client.get("/sim/phones")
    while any(phone["ims"] != "registered" for phone in phones):
        if time.monotonic() > deadline:
            say("not registered to IMS: " + ", ".join(f"{phone['imsi']} {phone['in_ims']['last']}" for phone in phones))
            return False
        time.sleep(1)
        phones = client.get("/sim/phones")
    first, second = phones[0]["imsi"], phones[1]["in_ims"]["identity"]
    good = True
    for verb, body, query, what in (
            ("text", {"to": second, "text": "Hello"}, {}, f"a text to {second}"),
            ("call", None, {"to": ECHO}, f"a call to {ECHO}, the echo"), ("hangup", None, {}, "hanging up")):
        said = client.post(f"/sim/phones/{first}:{verb}", body, **query)
        good &= bool(said["ok"])
        say(f"{first}: {what}: {'works' if said['ok'] else said}")
    return good
