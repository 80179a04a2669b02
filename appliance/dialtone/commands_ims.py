# SPDX-License-Identifier: Apache-2.0
"""What the control socket can be asked of the S-CSCF: who is registered, and which calls there were."""

from typing import TYPE_CHECKING, Any

from dialtone.control import Args, Command
from dialtone.errors import LocalError
from dialtone.hss.store import Store
from dialtone.scscf.deregistration import Deregister
from dialtone.scscf.store import CallRecord, read_calls
from dialtone.scscf.user import User

if TYPE_CHECKING:
    from dialtone.wiring import Core

MOST = 1000


class ImsCommands:
    """The commands by name; each is a method `<noun>_<verb>`."""

    def __init__(self, core: "Core", store: Store) -> None:
        self.core = core
        self.store = store

    def table(self) -> dict[str, Command]:
        """Name of the protocol to method."""
        return {"ims.registrations": self.registrations, "ims.deregister": self.deregister, "calls.records": self.calls}

    def registrations(self, args: Args) -> Any:
        """Who is registered for calls and texts."""
        now = self.core.loop.clock()
        return [_user(user, now) for user in self.core.scscf.users.values()]

    def deregister(self, args: Args) -> Any:
        """End the registration of a phone; it may come back at once."""
        wanted = str(args["who"])
        scscf = self.core.scscf
        user = scscf.users.get(wanted) or scscf.serving(wanted) or next(
            (each for each in scscf.users.values() if each.subject == wanted), None)
        if user is None:
            raise LocalError(f"{wanted} is not registered.", remedy="`dialtone ims registrations` shows who is.")
        self.core.loop.tell(scscf.name, Deregister(user.impi))
        return {"impi": user.impi}

    def calls(self, args: Args) -> Any:
        """Call detail records, the newest first, and the calls that are under way."""
        limit = min(max(int(args.get("limit", 100)), 1), MOST)
        live = [{"began": call.began, "answered": call.answered, "ended": None, "caller": call.caller,
                 "called": call.called, "dialled": call.dialled, "seconds": None,
                 "status": 200 if call.answered else 180, "reason": "under way", "call_id": call.call_id}
                for call in self.core.scscf.calls.values()]
        return [*live, *map(_record, self.store.read(lambda db: read_calls(db, limit)))][:limit]


def _record(record: CallRecord) -> dict[str, Any]:
    return {"began": record.began, "answered": record.answered or None, "ended": record.ended,
            "caller": record.caller, "called": record.called, "dialled": record.dialled,
            "seconds": round(record.seconds, 1), "status": record.status, "reason": record.reason,
            "call_id": record.call_id}


def _user(user: User, now: float) -> dict[str, Any]:
    return {
        "impi": user.impi, "imsi": user.subject, "state": user.state, "identities": list(user.associated),
        "contacts": [{"uri": contact.uri, "expires_s": max(round(contact.expires - now), 0), "q": contact.q,
                      "features": sorted(name for name in contact.params if name.startswith("+")),
                      "path": list(contact.path)} for contact in user.contacts.values()],
        "watchers": len(user.watchers),
    }
