# SPDX-License-Identifier: Apache-2.0
"""Rules on phones that are idle, are called, and come back (TS 24.301, 5.5.3 and 5.6)."""

from dialtone.codec.nas.causes import EmmCause, cause_name
from dialtone.trace.diagnose.sticky import sticky
from dialtone.trace.diagnose.story import Story
from dialtone.trace.diagnose.verdict import Found, Level, Verdict, failure, rule

_WHY = {
    9: "the network cannot tell whose registration it is: it was restarted, or the phone's keys are others",
    10: "the network had detached it meanwhile, because it was silent for too long or by command",
    11: "it came by another network",
    15: "this tracking area is not served",
    17: "the network has a problem of its own",
    18: "it wants a call in a 2G or 3G network, and there is none",
    40: "it has lost all its bearers",
}
_ATTACHES = (9, 10, 40)
STARTS = ("Service request", "Extended service request", "Tracking area update request")


@rule("service-refused")
def service_refused(story: Story) -> Found:
    """Service reject or Tracking area update reject (TS 24.301, 5.6.1.5 and 5.5.3.2.5)."""
    reject = story.last("Service reject") or story.last("Tracking area update reject")
    if reject is None or reject.message is None:
        return None
    cause = int(reject.message.emm_cause)
    why = _WHY.get(cause, cause_name(EmmCause, cause))
    phone, network = sticky(story), ""
    if cause in _ATTACHES:
        phone = "The phone attaches again by itself; if not: flight mode on and off."
    elif cause == 15:
        network = "Add the tracking area to tac in [network] of dialtone.toml."
    elif cause == 18:
        phone = "At the phone: switch VoLTE on, so that it calls by IMS."
    return failure("service-refused", story, f"The phone came back and was refused: {why} (cause #{cause}).",
                   [reject], network=network, phone=phone)


@rule("paging-unanswered")
def paging_unanswered(story: Story) -> Found:
    """The phone was called in vain (TS 24.301, 5.6.2.2.1)."""
    calls = story.all("Paging")
    expired = story.done("timer", "T3413")
    if not expired or any(step.id > expired[-1].id and step.up for step in story.steps):
        return None
    return failure("paging-unanswered", story, f"The phone did not answer when it was called {len(expired)} times.",
                   [*calls[:1], *calls[-1:], expired[-1]], phone="At the phone: is it switched on, out of flight mode?",
                   network="Is its cell on the air? dialtone enb list shows which eNBs are connected.")


@rule("back-from-idle")
def back_from_idle(story: Story) -> Found:
    """A service request or an update that went well."""
    start = next(filter(None, map(story.last, STARTS)), None)
    if start is None:
        return None
    done = story.after(start, "InitialContextSetupResponse") or story.after(start, "Tracking area update accept")
    if done is None:
        return None
    took = (done.event.time - start.event.time) * 1000
    return Verdict("back-from-idle", Level.OK, f"The phone came back from idle in {took:.0f} ms; nothing to mend.",
                   story.imsi, evidence=(start.id, done.id))
