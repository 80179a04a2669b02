# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked about subscription profiles: each change can be tried first, and undone."""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from dialtone.control import Args, Command
from dialtone.effects import Event, Write
from dialtone.errors import LocalError
from dialtone.hss import profiles
from dialtone.hss.profiles import Change
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Profile, Subscriber
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.hss.writes import PutProfile, RemoveProfile


class ProfileCommands:
    """`save` commits, `tell` hands an event to the HSS."""

    def __init__(self, store: Store, save: Callable[[Write], Awaitable[None]], tell: Callable[[Event], None]) -> None:
        self.store = store
        self.save = save
        self.tell = tell

    def table(self) -> dict[str, Command]:
        """Name of the protocol to method."""
        return {"profiles.list": self.list_all} | {
            f"profiles.{name}": getattr(self, name) for name in ("get", "add", "edit", "remove", "undo")}

    def list_all(self, args: Args) -> Any:
        """All of them, with the number of their subscribers."""
        used = [subscriber.profile.name for subscriber in self.store.subscribers()]
        return [{**profiles.shown(profile), "subscribers": used.count(name)}
                for name, profile in sorted(self.store.profiles().items())]

    def get(self, args: Args) -> Any:
        """One of them."""
        profile = self._profile(args)
        return {**profiles.shown(profile), "subscribers": len(self._subscribers(profile.name))}

    async def add(self, args: Args) -> Any:
        """A new one."""
        name = str(args["name"])
        if name in self.store.profiles():
            raise LocalError(f"There is a profile {name!r} already.", remedy="`dialtone profile edit` changes it.")
        return await self._put(None, profiles.new(name, _change(args)), args)

    async def edit(self, args: Args) -> Any:
        """Changes of one that is there; its live phones are told."""
        present = self._profile(args)
        return await self._put(present, profiles.changed(present, _change(args)), args)

    async def undo(self, args: Args) -> Any:
        """Back to what it was before its last change or its removal; a second undo takes the first one back."""
        name = str(args["name"])
        was = self.store.past_profile(name)
        if was is None:
            raise LocalError(f"Nothing is known of an earlier profile {name!r}.", remedy="`dialtone profile list`.")
        return await self._put(self.store.profiles().get(name), was, args)

    async def remove(self, args: Args) -> Any:
        """One less; refused while it has subscribers."""
        profile = self._profile(args)
        used = len(self._subscribers(profile.name))
        if used:
            raise LocalError(f"Profile {profile.name!r} has {used} subscribers.",
                             remedy="Give them another one first: dialtone subscriber edit IMSI --profile NAME.")
        report = self._report(profile, None, args)
        if report["written"]:
            await self.save(RemoveProfile(profile.name))
        return report

    async def _put(self, before: Profile | None, after: Profile, args: Args) -> Any:
        report = self._report(before, after, args)
        if report["written"]:
            had = self._subscribers(after.name)
            await self.save(PutProfile(after))
            for old in had:
                if (fresh := self.store.get(old.imsi)) is not None:
                    self.tell(SubscriptionChanged(old, fresh))
        return report

    def _report(self, before: Profile | None, after: Profile | None, args: Args) -> dict[str, Any]:
        """What changes, and whom it concerns; `written` says whether it is done or only tried."""
        name = (after or before or Profile("", ())).name
        subscribers = self._subscribers(name)
        served = (self.store.registration(subscriber.imsi) for subscriber in subscribers)
        differences = profiles.differences(before, after)
        return {
            "name": name, "changes": differences, "subscribers": len(subscribers),
            "live": sum(one is not None and not one.purged for one in served),
            "written": bool(differences) and not args.get("dry_run", False),
        }  # fmt: skip

    def _profile(self, args: Args) -> Profile:
        name, known = str(args["name"]), self.store.profiles()
        if name not in known:
            raise LocalError(f"There is no profile {name!r}.", remedy=f"There are: {', '.join(sorted(known))}.")
        return known[name]

    def _subscribers(self, profile: str) -> list[Subscriber]:
        return [subscriber for subscriber in self.store.subscribers() if subscriber.profile.name == profile]


def _change(args: Args) -> Change:
    known = {field.name for field in fields(Change)}
    unknown = set(args) - known - {"name", "dry_run"}
    if unknown:
        raise LocalError(f"A profile has no {sorted(unknown)[0]!r}.", remedy=f"Known: {', '.join(sorted(known))}.")
    return Change(**{name: args[name] for name in known & set(args)})
