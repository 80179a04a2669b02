# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked of texts: send, broadcast, list, how far a broadcast is, cancel.

Whole messages, whatever parts they came in. A batch names texts that were written down together, as `17` or `17-216`:
the numbers of the first and the last one.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from dialtone.codec.sms import SmsDeliver, tpdu
from dialtone.codec.sms.address import Address
from dialtone.codec.sms.user_data import UserData, split
from dialtone.control import Args, Command
from dialtone.errors import LocalError
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Subscriber
from dialtone.sms import queue
from dialtone.sms.cancel import Cancel, at_rest
from dialtone.sms.element import Sms
from dialtone.sms.queue import Stored
from dialtone.sms.text import CANCELLED, Message, PutTexts, State, Text, together

if TYPE_CHECKING:
    from dialtone.wiring import Core

Save = Callable[[PutTexts], Awaitable[None]]


class SmsCommands:
    """The commands by name. `save` waits for the commit of what it gets."""

    def __init__(self, core: "Core", store: Store, save: Save) -> None:
        self.core = core
        self.store = store
        self.save = save

    @property
    def sms(self) -> Sms:
        """The SMS centre; where no core runs there is none."""
        return self.core.sms

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"sms.send": self.send, "sms.broadcast": self.broadcast, "sms.list": self.list_all,
                "sms.progress": self.progress, "sms.cancel": self.cancel}

    async def send(self, args: Args) -> Any:
        """{to, text, sender?} -> its batch. `to` is a number or an IMSI."""
        recipient = self._recipient(str(args["to"]))
        texts = self._texts([recipient], str(args["text"]), str(args.get("sender") or self.sms.config.sender), args)
        await self._store(texts)
        return {"to": recipient.imsi, "parts": len(texts), "batch": _batch(texts)}

    async def broadcast(self, args: Args) -> Any:
        """{tag?, text, dry_run=true, sender?} -> to whom, and the batch: every subscriber with the tag, or all."""
        tag = str(args.get("tag", ""))
        recipients = self.store.subscribers(tag=tag)
        if not recipients:
            raise LocalError(f"No subscriber has the tag {tag!r}." if tag else "There are no subscribers.",
                             remedy="`dialtone subscriber list` shows all with their tags.")
        texts = self._texts(recipients, str(args["text"]), str(args.get("sender") or self.sms.config.sender), args)
        dry = bool(args.get("dry_run", True))
        if not dry:
            await self._store(texts)
        return {"dry_run": dry, "parts": len(texts) // len(recipients), "batch": "" if dry else _batch(texts),
                "to": [{"imsi": one.imsi, "msisdn": one.msisdns[0] if one.msisdns else None} for one in recipients]}

    def progress(self, args: Args) -> Any:
        """{batch} -> how many of its texts are waiting, delivered, expired, failed, cancelled."""
        first, last = _numbers(args)
        found = self.sms.box.tally(first, last)
        if not found:
            raise LocalError(f"There is no text {args['batch']}.", remedy="`dialtone sms list` shows the latest.")
        return {"batch": str(args["batch"]), "texts": sum(found.values())} | {
            state: found.get(state, 0) for state in (*State, CANCELLED)}

    def cancel(self, args: Args) -> Any:
        """{batch} -> how many of its texts do not go out any more. What is being delivered just now arrives."""
        first, last = _numbers(args)
        messages = together(sorted(at_rest(self.sms), key=lambda text: text.id))
        ids = frozenset(text.id for message in messages for text in message.texts
                        if any(first <= part.id <= last for part in message.texts))
        if not ids:
            raise LocalError(f"Nothing of {args['batch']} waits.", remedy="`dialtone sms list` says what became of it.")
        self.core.loop.tell(self.sms.name, Cancel(ids))
        return {"batch": str(args["batch"]), "cancelled": len(ids)}

    def list_all(self, args: Args) -> Any:
        """{imsi?, limit=100, texts=true} -> messages, the latest first; without `texts` what they say is left out."""
        imsi, limit = str(args.get("imsi", "")), int(args.get("limit", 100))
        messages = [message for message in together(self.sms.box.latest(4 * limit))
                    if not imsi or imsi in (message.texts[0].recipient, message.texts[0].sender_imsi)]
        return [self._line(message, bool(args.get("texts", True))) for message in messages[: -limit - 1 : -1]]

    def _line(self, message: Message, shown: bool) -> dict[str, Any]:
        first = message.texts[0]
        box = self.sms.boxes.get(first.recipient)
        why = next((text.why for text in message.texts if text.why), "")
        if message.state == "waiting" and box is not None:
            why = box.last or "being delivered"
        return {
            "id": first.id, "from": first.sender, "to": first.destination, "recipient": first.recipient,
            "sent": first.submitted, "state": str(message.state), "why": why,
            "ended": max((text.ended for text in message.texts if text.ended), default=None),
            "parts": message.total, "text": message.body if shown else None, "length": len(message.body),
        }

    def _recipient(self, to: str) -> Subscriber:
        found = self.store.get(to)
        if found is None:
            try:
                found = self.sms.find(Address.of(to))
            except ValueError:
                found = None
        if found is None:
            raise LocalError(f"Nobody here has the number {to}.", remedy="`dialtone subscriber list` shows all.")
        return found

    def _texts(self, recipients: list[Subscriber], text: str, sender: str, args: Args) -> tuple[Text, ...]:
        """The texts to write down for each recipient. Raises LocalError."""
        if not text:
            raise LocalError("A text has at least one character.", remedy="Say something.")
        try:
            origin, parts = Address.of(sender), split(text, self.sms.next_reference())
        except ValueError as error:
            raise LocalError(f"{error}.", remedy="Say it shorter, or choose another sender.") from None
        now = int(self.core.loop.clock())
        for one in recipients:
            if queue.full(self.sms, one.imsi, len(parts)):
                raise LocalError(f"{self.sms.config.waiting} texts wait for {one.imsi} already.",
                                 remedy="Wait until that phone is back, or raise `waiting` in [sms].")
        return tuple(self._text(one, origin, ud, now) for one in recipients for ud in parts)

    def _text(self, to: Subscriber, origin: Address, ud: UserData, now: int) -> Text:
        deliver = SmsDeliver(originator=origin, stamp=self.sms.stamp(now), ud=ud)
        destination = f"+{to.msisdns[0]}" if to.msisdns else to.imsi
        return Text(self.sms.next_id(), to.imsi, destination, str(origin), tpdu.encode(deliver), now,
                    now + self.sms.config.validity)

    async def _store(self, texts: tuple[Text, ...]) -> None:
        await self.save(PutTexts(texts))
        self.core.loop.tell(self.sms.name, Stored(texts))


def _batch(texts: tuple[Text, ...]) -> str:
    return f"{texts[0].id}-{texts[-1].id}" if len(texts) > 1 else str(texts[0].id)


def _numbers(args: Args) -> tuple[int, int]:
    """The first and the last number of a batch."""
    first, _, last = str(args["batch"]).partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise LocalError(f"{args['batch']!r} names no texts.", remedy="Give a number, or two as 17-216.") from None
