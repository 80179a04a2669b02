# SPDX-License-Identifier: Apache-2.0
"""NextEPC's MME with our HSS and gateway. Its S-GW and P-GW: tests/host."""

from pathlib import Path

import nextepc
import pytest
from nextepc import Lab

from dialtone.runtime import Runtime

pytestmark = pytest.mark.kernel


def test_its_mme_attaches_our_phone(tmp_path: Path) -> None:
    """S6a to our HSS, S11 to our gateway, S1AP and NAS to our eNB and phone, user data through our gateway."""
    nextepc.need("mme")
    nextepc.trial(_its_mme, tmp_path, nextepc.serving_their_mme(), "mme")


async def _its_mme(lab: Lab, runtime: Runtime) -> None:
    assert lab.core.diameter is not None
    peer = lab.core.diameter.peers[f"mme.{nextepc.REALM}"]
    await lab.until(lambda: peer.open)
    await lab.connect_enb(runtime, nextepc.MME)
    await lab.attach()
    [session] = lab.core.pgw.sessions.values()
    assert (session.tunnel.point, session.tunnel.peer) == ("S11", f"{nextepc.MME}:2123")
    await lab.until(lambda: lab.plane.forwarder.bearers[session.bearers[5].teid].to)
    assert await lab.ping() == 3
    await lab.detach()
    await lab.until(lambda: not lab.core.pgw.sessions)
