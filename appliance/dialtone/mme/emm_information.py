# SPDX-License-Identifier: Apache-2.0
"""EMM Information (TS 24.301, 5.4.5): network name, time and time zone, right after the attach."""

from collections.abc import Iterator

from dialtone.codec.nas import EMMInformation
from dialtone.codec.nas.ies import NetworkName
from dialtone.effects import Effect, Send
from dialtone.mme.context import Ue
from dialtone.mme.element import Mme


def send(mme: Mme, ue: Ue) -> Iterator[Effect]:
    """The phone sets its clock by this; no answer is expected."""
    now = mme.wall()
    name = NetworkName.of(mme.config.network.name)
    yield Send("NAS", ue, EMMInformation(
        full_name_for_network=name,
        short_name_for_network=name,
        local_time_zone=now.utcoffset(),
        universal_time_and_local_time_zone=now,
    ))
