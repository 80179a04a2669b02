# SPDX-License-Identifier: Apache-2.0
"""RTP passes during a call; the same packet before and after it is dropped. By the user plane alone."""

import asyncio

import pytest
from call_media import a_call

pytestmark = pytest.mark.kernel


def test_rtp_passes_during_a_call_only() -> None:
    asyncio.run(a_call(filtered=False))
