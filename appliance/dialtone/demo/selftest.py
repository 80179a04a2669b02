# SPDX-License-Identifier: Apache-2.0
"""The appliance tries itself: a simulated eNB on the eNB port, phones that attach, register, text and call.

The core and the API that run here are used as they are; what was added for the test goes again.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pyroute2 import IPRoute

from dialtone.cli.config import files
from dialtone.config import load
from dialtone.demo.check import Say, check
from dialtone.errors import LocalError
from dialtone.lab.client import Client
from dialtone.lab_kernel import namespaces
from dialtone.lab_kernel.namespaces import End
from dialtone.sim.cards import as_csv, make_cards
from dialtone.sim.config import ENB_ADDRESS

ENB_PORT = "enb"  # the bridge behind the socket
NAMESPACE, CABLE = "dt-selftest", "dt-self0"
RUN = Path("/run/dialtone")
PATIENCE = 300.0  # seconds for API and simulation to come up; an emulated machine is slow
TEST_NETWORKS = ("00101", "999")


def selftest(phones: int, say: Say) -> bool:
    """Whether everything works. Raises LocalError where it cannot be tried."""
    config = load(files())
    plmn = config.network.plmn
    if not f"{plmn.mcc}{plmn.mnc}".startswith(TEST_NETWORKS):
        raise LocalError(f"The test cards' keys are public, and {plmn} is no test network.",
                         remedy="Set mcc and mnc to 001 and 01 for the test.")
    client = _api()
    cards = make_cards(phones, plmn)
    there = {subscriber["imsi"] for subscriber in client.get("/subscribers")}
    added = [card for card in cards if card.imsi not in there]
    if added:
        client.post("/subscribers:import", as_csv(added).encode(), dry_run=False)
    say(f"core and API answer; {phones} test cards, {len(added)} of them only for now")
    simulation: subprocess.Popen[bytes] | None = None
    try:
        enb = namespaces.create(NAMESPACE)
        namespaces.cable(End(None, CABLE, []), End(enb, "s1", [f"{ENB_ADDRESS}/24"]))
        _plug(CABLE, ENB_PORT)
        simulation = subprocess.Popen(
            [sys.executable, "-m", "dialtone.cli", "sim", "run", "--run", str(RUN), "--phones", str(phones),
             "--mme", config.s1.address, "--address", str(ENB_ADDRESS), "--plmn", str(plmn),
             "--tac", str(config.network.tac[0]), "--namespace", NAMESPACE, "--ims"])
        _until(lambda: client.get("/sim/enbs")[0]["s1"] == "up", "the simulated eNB is not connected")
        say(f"S1 Setup accepted {_uptime():.1f} s after power-on")
        return check(client, str(config.apn["internet"].gateway), say)
    finally:
        if simulation is not None:
            simulation.terminate()
            simulation.wait(20)
        namespaces.create(NAMESPACE).remove()
        for card in added:
            client.request("DELETE", f"/subscribers/{card.imsi}")


def _api() -> Client:
    found: list[Client] = []

    def answers() -> bool:
        client = Client()
        client.get("/status")
        found.append(client)
        return True

    _until(answers, "the API does not answer")
    return found[0]


def _until(true: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is true; what cannot be asked yet is not."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if true():
                return
            why = ""
        except LocalError as error:
            why = f" ({error})"
        if time.monotonic() > deadline:
            raise LocalError(f"After {PATIENCE:.0f} s {otherwise}{why}.", remedy="See `journalctl -u 'dialtone-*'`.")
        time.sleep(0.3)


def _plug(interface: str, bridge: str) -> None:
    """Join an interface to the bridge behind the eNB port."""
    with IPRoute() as route:
        master = route.link_lookup(ifname=bridge)
        if not master:
            raise LocalError(f"There is no interface {bridge!r}.", remedy="This test is for the appliance's own image.")
        route.link("set", index=route.link_lookup(ifname=interface)[0], master=master[0], state="up")


def _uptime() -> float:
    """Seconds since the kernel started."""
    return float(Path("/proc/uptime").read_text().split()[0])
