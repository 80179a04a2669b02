# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked of subscribers, and of the HSS that has them."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from dialtone.control import Args, Command
from dialtone.errors import LocalError
from dialtone.hss.cancel_location import Withdraw
from dialtone.hss.csv_import import ImportPlan, plan_import
from dialtone.hss.provisioning import FIELDS, doubts, make_subscriber
from dialtone.hss.registration_termination import REASONS, EndRegistration
from dialtone.hss.reset import Reset
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Registration, Subscriber
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.hss.writes import PutSubscriber, RemoveSubscriber

if TYPE_CHECKING:
    from dialtone.wiring import Core


class SubscriberCommands:
    """Bound to the core and its store; `save` waits for a commit."""

    def __init__(self, core: "Core", store: Store, save: Callable[..., Awaitable[None]]) -> None:
        self.core = core
        self.store = store
        self.save = save
        self.home = core.config.network.plmn

    def table(self) -> dict[str, Command]:
        """By name, for the control server."""
        return {"subscribers.list": self.list_all, "subscribers.get": self.get, "subscribers.add": self.add,
                "subscribers.edit": self.edit, "subscribers.remove": self.remove, "subscribers.import": self.import_,
                "subscribers.seen": self.seen, "subscribers.cancel": self.cancel,
                "subscribers.deregister": self.deregister, "hss.reset": self.reset}

    def list_all(self, args: Args) -> Any:
        """All of them, without keys."""
        return [_public(subscriber) for subscriber in self.store.subscribers(tag=str(args.get("tag", "")))]

    def get(self, args: Args) -> Any:
        """One of them; with `keys` its K and OPc too."""
        subscriber = self._subscriber(args)
        served = self.store.registration(subscriber.imsi)
        ims = self.store.ims_registration(subscriber.imsi)
        return {**_public(subscriber, keys=bool(args.get("keys", False))), "served_by": served and _served(served),
                "ims": ims and {"scscf": ims.scscf, "state": ims.state, "since": ims.since}}

    async def add(self, args: Args) -> Any:
        """A new one."""
        subscriber = make_subscriber({"profile": "default", **_fields(args)}, profiles=self.store.profiles(),
                                     home=self.home)
        await self.save(PutSubscriber(subscriber, int(time.time())))
        return {**_public(subscriber), "doubts": [str(doubt) for doubt in doubts(subscriber, self.home)]}

    async def edit(self, args: Args) -> Any:
        """Changes of one that is there; what is not named stays."""
        present = self._subscriber(args)
        changed = make_subscriber(_fields(args), profiles=self.store.profiles(), home=self.home, base=present)
        await self.save(PutSubscriber(changed, int(time.time()), overwrite=True))
        self._push([present])
        return _public(changed)

    async def remove(self, args: Args) -> Any:
        """One less; its sequence number mark stays, so that a card that comes back works at once."""
        subscriber = self._subscriber(args)
        served, ims = self.store.registration(subscriber.imsi), self.store.ims_registration(subscriber.imsi)
        await self.save(RemoveSubscriber(subscriber.imsi))
        if ims is not None:
            self.core.loop.tell("hss", EndRegistration(subscriber, ims))
        if served is not None:
            self.core.loop.tell("hss", Withdraw(served))
        return _public(subscriber)

    async def import_(self, args: Args) -> Any:
        """A CSV: what would happen, and with `dry_run` false it does."""
        plan = plan_import(str(args["csv"]).encode(), present=self.store.subscribers(),
                           profiles=self.store.profiles(), home=self.home)
        overwrite = bool(args.get("overwrite", False))
        if not args.get("dry_run", True):
            before = [subscriber for row in plan.conflicts if overwrite
                      and (subscriber := self.store.get(row.subscriber.imsi))]
            await self.save(*plan.writes(now=int(time.time()), overwrite=overwrite))
            self._push(before)
        return _report(plan)

    async def cancel(self, args: Args) -> Any:
        """Have the MME let go of the phone; with `reattach` it comes back at once, with its subscription of now."""
        subscriber = self._subscriber(args)
        served = self.store.registration(subscriber.imsi)
        if served is None or served.purged:
            raise LocalError(f"No MME serves {subscriber.imsi}.", remedy="`dialtone ue list` shows who is here.")
        self.core.loop.tell("hss", Withdraw(served, bool(args.get("reattach", False))))
        return {"mme": served.mme}

    async def deregister(self, args: Args) -> Any:
        """Have the S-CSCF end the phone's IMS registration; with `again` the phone may register anew at once."""
        subscriber = self._subscriber(args)
        served = self.store.ims_registration(subscriber.imsi)
        if served is None:
            raise LocalError(f"No S-CSCF has {subscriber.imsi}.", remedy="It is not registered for IMS.")
        self.core.loop.tell("hss", EndRegistration(
            subscriber, served, REASONS["again" if args.get("again", False) else "removed"]))
        return {"scscf": served.scscf}

    def reset(self, args: Args) -> Any:
        """Have every MME tell again where its phones are."""
        mmes = {served.mme for served in self.store.registrations() if not served.purged}
        self.core.loop.tell("hss", Reset())
        return {"mmes": sorted(mmes)}

    def seen(self, args: Args) -> Any:
        """Unknown IMSIs that tried to attach."""
        return [{"imsi": seen.imsi, "first": seen.first, "last": seen.last, "count": seen.count,
                 "reason": seen.reason} for seen in self.store.seen()]

    def _subscriber(self, args: Args) -> Subscriber:
        imsi = str(args["imsi"])
        subscriber = self.store.get(imsi)
        if subscriber is None:
            raise LocalError(f"There is no subscriber {imsi}.", remedy="`dialtone subscriber list` shows all.")
        return subscriber

    def _push(self, before: Sequence[Subscriber]) -> None:
        """Tell the HSS of subscribers that were so and are changed: live phones get their new subscription."""
        for old in before:
            if (new := self.store.get(old.imsi)) is not None:
                self.core.loop.tell("hss", SubscriptionChanged(old, new))


def _fields(args: Args) -> dict[str, str]:
    """The arguments as the texts that provisioning reads; lists with | between."""
    unknown = set(args) - set(FIELDS)
    if unknown:
        raise LocalError(f"A subscriber has no {sorted(unknown)[0]!r}.", remedy=f"Known: {', '.join(FIELDS)}.")
    return {name: "|".join(map(str, value)) if isinstance(value, list) else str(value) for name, value in args.items()}


def _public(subscriber: Subscriber, *, keys: bool = False) -> dict[str, Any]:
    """A subscriber as JSON, without keys unless they are asked for by name."""
    shown: dict[str, Any] = {
        "imsi": subscriber.imsi,
        "msisdn": list(subscriber.msisdns),
        "impi": subscriber.impi,
        "impu": list(subscriber.impus),
        "algorithm": subscriber.algorithm,
        "amf": subscriber.amf.hex(),
        "profile": subscriber.profile.name,
        "apns": [apn.name for apn in subscriber.profile.apns],
        "address": [f"{apn}={address}" for apn, address in subscriber.addresses],
        "tags": list(subscriber.tags),
        "ipsec": "required" if subscriber.ipsec else "optional",
        "own_isim_keys": subscriber.isim_k is not None,
    }
    if keys:
        shown |= {"k": subscriber.k.hex(), "opc": subscriber.opc.hex()}
        if subscriber.isim_k is not None and subscriber.isim_opc is not None:
            shown |= {"isim_k": subscriber.isim_k.hex(), "isim_opc": subscriber.isim_opc.hex()}
    return shown


def _served(served: Registration) -> dict[str, Any]:
    """Who serves a subscriber."""
    return {"mme": served.mme, "plmn": served.plmn, "since": served.since, "imei": served.imei,
            "purged": served.purged}


def _report(plan: ImportPlan) -> dict[str, Any]:
    """What an import does, or would do."""
    return {
        "summary": plan.summary(),
        "columns": plan.columns,
        "ignored": plan.ignored,
        "add": [row.subscriber.imsi for row in plan.add],
        "unchanged": [row.subscriber.imsi for row in plan.unchanged],
        "conflicts": [{"line": row.line, "imsi": row.subscriber.imsi, "differs": list(row.differs)}
                      for row in plan.conflicts],
        "errors": [str(finding) for finding in plan.errors],
        "doubts": [str(finding) for finding in plan.doubts],
    }
