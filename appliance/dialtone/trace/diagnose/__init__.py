# SPDX-License-Identifier: Apache-2.0
"""Why did it fail? Rules over a trace: evidence, cause, remedy.

    for verdict in diagnose(events, "001010000000001"):
        print(verdict.line)

A rule is a function in one of the files here, registered with `@rule`; it looks at one Story and returns
a Verdict or None. Rules read the messages on the wire, so imported captures are judged alike.
"""

from collections.abc import Iterable

from dialtone.trace.bus import Event
from dialtone.trace.diagnose import (  # noqa: F401 they register their rules
    attach,
    authentication,
    call_setup,
    calls,
    connected,
    gm,
    handover,
    idle,
    ims_registration,
    ims_session,
    ipsec,
    network,
    texts,
    volte,
)
from dialtone.trace.diagnose.story import stories
from dialtone.trace.diagnose.verdict import RULES, Level, Rule, Verdict, judge

__all__ = ["RULES", "Level", "Rule", "Verdict", "diagnose"]


def diagnose(events: Iterable[Event], imsi: str = "", served: tuple[str, ...] = ()) -> list[Verdict]:
    """The verdicts on the last attempt of one phone, or of all phones and the eNBs.

    `served` are the tracking areas that the network serves, in words (`PLMN 001/01 TAC 1 (0x0001)`), for
    the sentence that compares them with what an eNB offers.
    """
    return [verdict for story in stories(events, imsi, served) for verdict in judge(story)]
