# SPDX-License-Identifier: Apache-2.0
"""NextEPC's S-GW between our MME and P-GW, and its P-GW as far as it goes. Its MME: tests/kernel."""

from pathlib import Path

import nextepc
from nextepc import Lab

from dialtone.runtime import Runtime
from dialtone.sim.attach import AttachCommand


def test_its_sgw_between_our_mme_and_gateway(tmp_path: Path) -> None:
    """S11 on one side of it, S5/S8 on the other, and user data through both."""
    nextepc.need("sgw")
    nextepc.trial(_its_sgw, tmp_path, nextepc.using_their_sgw(), "sgw")


async def _its_sgw(lab: Lab, runtime: Runtime) -> None:
    await lab.connect_enb(runtime)
    await lab.attach()
    [session] = lab.core.pgw.sessions.values()
    assert (session.tunnel.point, session.tunnel.peer) == ("S5/S8", f"{nextepc.SGW}:2123")
    assert await lab.ping() == 3
    await lab.idle()
    assert await lab.called()  # it keeps the packet, and has our MME page the phone
    await lab.detach()
    await lab.until(lambda: not lab.core.pgw.sessions)


def test_its_pgw_without_its_database(tmp_path: Path) -> None:
    """It starts, and its S-GW reaches it; but a session of it needs Gx and a PCRF, which wants MongoDB."""
    nextepc.need("sgw", "pgw")
    nextepc.trial(_its_pgw, tmp_path, nextepc.using_their_gateways(), "sgw", "pgw")


async def _its_pgw(lab: Lab, runtime: Runtime) -> None:
    await lab.connect_enb(runtime)
    lab.loop.tell(lab.phone.name, AttachCommand())
    await lab.until(lambda: any(event.point == "verdict" and event.src == "mme" and event.name == "attach"
                                for event in lab.loop.bus.ring))
    verdicts = [event.info for event in lab.loop.bus.ring if event.point == "verdict" and event.src == "mme"]
    assert any("the gateway does not answer" in verdict for verdict in verdicts), verdicts
    assert "Credit-Control-Request" in (lab.directory / "pgw.log").read_text(errors="replace")
