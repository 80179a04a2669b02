# SPDX-License-Identifier: Apache-2.0
"""Rules on calls that get stuck on their way, or do not end as they should (TS 24.229, 5.1.3 and 5.1.4; RFC 3312)."""

from dialtone.trace.diagnose.legs import PATIENCE, Leg, last_leg, waits
from dialtone.trace.diagnose.sip_steps import same
from dialtone.trace.diagnose.story import Step, Story
from dialtone.trace.diagnose.verdict import Found, failure, note, rule

_LONGEST = 1300  # octets of a request that goes over UDP (RFC 3261, 18.1.1)
_FAILED = 580  # Precondition Failure (RFC 3312, 8)
_ASKED, _TAKEN = (f"Activate dedicated EPS bearer context {what}" for what in ("request", "accept"))


def _after(story: Story, leg: Leg, name: str) -> Step | None:
    """The first of these after the call began."""
    return next((step for step in story.all(name) if step.id > leg.invite.id), None)


def _progress(leg: Leg) -> Step | None:
    """The first provisional answer in which the called end says that it waits for bearers, too."""
    return next((step for step in leg.answers(first=180, last=199) if waits(step)), None)


@rule("call-stuck", "D28", attach=True, phone="At the phone: restart it; an update of its firmware.")
def call_stuck(story: Story) -> Found:
    """The voice bearer stands, and the phone does not go on: no UPDATE of a caller, no 180 of the called end."""
    leg = last_leg(story)
    progress, bearer = (_progress(leg), _after(story, leg, _TAKEN)) if leg else (None, None)
    if leg is None or progress is None or bearer is None or leg.waited(max(progress, bearer, key=lambda s: s.id)
                                                                       ) < PATIENCE:
        return None
    ready = leg.requests("UPDATE")
    if leg.outgoing and not ready and not leg.answers(first=180, last=180):
        what = "does not say so to the other end (no UPDATE)"
    elif not leg.outgoing and ready and not leg.answers(first=180, last=180) and not leg.answers(first=200, last=299):
        what = "does not ring, although the caller has its own, too"
    else:
        return None
    return failure("call-stuck", story, f"The call does not go on: the phone has its bearer for voice and {what}.",
                   [leg.invite, progress, bearer, *ready[-1:]])


@rule("call-bearer-not-asked", "D28", attach=True, network="Have the P-CSCF ask for the bearer over Rx: with the "
      "answer in 183 where there are preconditions, otherwise with the 200.")
def bearer_not_asked(story: Story) -> Found:
    """Nobody asked for a voice bearer, and the call waits for it, or goes on without (TS 29.214, 4.4.1)."""
    leg = last_leg(story)
    if leg is None or story.last("Attach complete") is None or _after(story, leg, "Create Bearer Request") or (
            _after(story, leg, _ASKED)):
        return None
    progress, accepted = _progress(leg), next(iter(leg.answers(first=200, last=299)), None)
    if progress is not None and leg.waited(progress) >= PATIENCE:
        return failure("call-bearer-not-asked", story, "The call waits at 183 for its bearer for voice, and the "
                       "network sets none up.", [leg.invite, progress])
    if accepted is not None and story.end - accepted.event.time >= PATIENCE:
        return failure("call-bearer-not-asked", story, "The call has no bearer for voice: nobody asked for one, so its "
                       "voice competes with everything else.", [leg.invite, accepted])
    return None


@rule("call-preconditions", "D33", attach=True, instead_of=("call-stuck",), network="Neither add preconditions to "
      "what a phone says, nor take them out.", phone="At the phone: an update of its firmware; it must wait for its "
      "own bearer only, where the other end has no preconditions.")
def call_preconditions(story: Story) -> Found:
    """580: one end waits for bearers, and the other knows nothing of it (RFC 3312, 8; TS 24.229, 5.1.3.1)."""
    leg = last_leg(story)
    if leg is None or not waits(leg.invite):
        return None
    said = [step for step in (*leg.requests("CANCEL", up=leg.outgoing), *leg.requests("BYE", up=leg.outgoing))
            if f"cause={_FAILED}" in (step.message.first("Reason") or "").replace(" ", "")]
    said += [step for step in leg.answers(first=_FAILED, last=_FAILED) if step.up != leg.outgoing]
    theirs = leg.answers(first=180, last=299)
    if not said or not theirs or not leg.outgoing or any(waits(step) for step in theirs):
        return None
    return failure("call-preconditions", story, "The phone gave the call up because the other end says nothing of "
                   "preconditions: it waited for the other's bearer (580).", [leg.invite, *theirs[-1:], *said[-1:]])


@rule("call-not-delivered", "D32", attach=True, network="Where the phone takes no TCP connection to its protected "
      "server port, send the request over UDP through its SAs: ours does.", phone="At the phone: restart it; it must "
      "listen on TCP and UDP on that port, and take fragments.")
def call_not_delivered(story: Story) -> Found:
    """INVITE to the phone, and not even 100 from it (RFC 3261, 18.1.1)."""
    leg = last_leg(story)
    if leg is None or leg.outgoing or [step for step in leg.answers() if step.up]:
        return None
    invites = leg.requests("INVITE", up=False)
    if invites[-1].event.time - invites[0].event.time + leg.end - invites[-1].event.time < PATIENCE or (
            story.done("timer", "T3413")):
        return None
    refused = [step for step in story.done("peer", "refused") if step.id > leg.invite.id]
    size = max(len(step.event.data) for step in invites)
    ways = " and ".join(sorted({step.event.dst.partition(":")[0].upper() for step in invites
                                if ":" in step.event.dst})) or "SIP"
    why = (" It refuses TCP connections." if refused else
           f" With {size} octets it goes over TCP, or in fragments." if size > _LONGEST else "")
    return failure("call-not-delivered", story, f"A call does not reach the phone: it says nothing to the INVITE, by "
                   f"{ways}.{why}", [invites[0], *refused[-1:], *invites[1:][-1:]])


@rule("call-by-udp", "D32", attach=True)
def call_by_udp(story: Story) -> Found:
    """The phone refused TCP, and got the call over UDP: good to know, where long requests are lost."""
    leg = last_leg(story)
    if leg is None or leg.outgoing or not [step for step in leg.answers() if step.up]:
        return None
    refused = [step for step in story.done("peer", "refused") if step.id > leg.invite.id]
    if not refused:
        return None
    return note("call-by-udp", story, "The phone takes no TCP connections; calls reach it over UDP instead.",
                [leg.invite, *refused[-1:]])


@rule("call-end-unanswered", "D31", attach=True, phone="At the phone: restart it.", network="Send BYE to the phone's "
      "protected server port, over UDP or a new connection: the TCP connection of the call may be dead.")
def end_unanswered(story: Story) -> Found:
    """BYE, and no answer (RFC 3261, 15.1.1)."""
    leg = last_leg(story)
    if leg is None or not leg.requests("BYE"):
        return None
    bye = leg.requests("BYE")[0]
    if any(same(step, bye) for step in leg.answers("BYE")) or story.end - bye.event.time < PATIENCE:
        return None
    times = len(leg.requests("BYE"))
    if bye.up and any(step.event.point == "Mw" and same(step, bye) for step in story.all("BYE")):
        return None  # it was passed on: what is wrong is at the other end
    if bye.up:
        return failure("call-end-unanswered", story, "The phone ended the call, and the network did not answer its "
                       f"BYE ({times} times).", [bye], network="BYE must find its way to the other end and back: by "
                       "the Route of the call, over a connection that still stands.")
    return failure("call-end-unanswered", story, "The other end hung up, and the phone did not answer BYE: it may "
                   "believe that the call goes on.", [bye, *leg.requests("BYE")[1:][-1:]])


@rule("call-cut-by-timer", "D31", attach=True, phone="At the phone: an update of its firmware; it must refresh a "
      "session at half of Session-Expires, or not offer to.")
def cut_by_timer(story: Story) -> Found:
    """The session was not refreshed by the end that had to (RFC 4028, 10)."""
    leg = last_leg(story)
    accepted = next(iter(leg.answers(first=200, last=299)), None) if leg else None
    if leg is None or accepted is None:
        return None
    interval, _, rest = (accepted.message.first("Session-Expires") or "").partition(";")
    bye = next(iter(leg.requests("BYE", up=False)), None)
    refresher = ("uac" in rest) == leg.outgoing
    if bye is None or not interval.strip().isdigit() or not refresher:
        return None
    newest = max([accepted, *leg.answers("UPDATE", 200, 299), *leg.answers("INVITE", 200, 299)], key=lambda s: s.id)
    if bye.event.time - newest.event.time < 0.6 * int(interval) or "timer" not in (
            bye.message.first("Reason") or "timer").lower():
        return None
    return failure("call-cut-by-timer", story, f"The call was ended after {bye.event.time - newest.event.time:.0f} "
                   f"s: the phone had to refresh the session within {interval.strip()} s, and did "
                   "not.", [accepted, bye])
