# SPDX-License-Identifier: Apache-2.0
"""What the control socket of the core can be asked: status, phones, subscribers, counters, leaks."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dialtone import __version__
from dialtone.commands_ims import ImsCommands
from dialtone.commands_ipsec import IpsecCommands, Kernel
from dialtone.commands_metrics import MetricsCommands
from dialtone.commands_profiles import ProfileCommands
from dialtone.commands_radio import RadioCommands
from dialtone.commands_sms import SmsCommands
from dialtone.control import Args, Command
from dialtone.datapath.forwarder import Forwarder
from dialtone.diameter.effects import Start, Stop
from dialtone.effects import Write
from dialtone.errors import LocalError
from dialtone.hss.cancel_location import Withdraw
from dialtone.hss.csv_import import ImportPlan, plan_import
from dialtone.hss.provisioning import FIELDS, doubts, make_subscriber
from dialtone.hss.registration_termination import REASONS, EndRegistration
from dialtone.hss.reset import Reset
from dialtone.hss.store import Store
from dialtone.hss.subscriber import Registration, Subscriber
from dialtone.hss.subscriber_data import SubscriptionChanged
from dialtone.hss.writer import Done
from dialtone.hss.writes import PutSubscriber, RemoveSubscriber
from dialtone.mme.context import Bearer, Enb, Pdn, Ue
from dialtone.mme.detach import DetachUe
from dialtone.mme.guti_reallocation import ReallocateGuti
from dialtone.mme.pdn_disconnect import ClosePdn
from dialtone.pgw.connection_end import EndConnection
from dialtone.pgw.policy import InstallRules, RemoveRules
from dialtone.pgw.rule import rule_of_command

if TYPE_CHECKING:
    from dialtone.wiring import Core


class Saver(Protocol):
    """The writer thread."""

    def submit(self, writes: Sequence[Write], done: Done) -> None: ...


class Commands:
    """The commands by name; each is a method `<noun>_<verb>` taking the arguments as sent."""

    def __init__(self, core: "Core", store: Store, writer: Saver,
                 forwarder: Forwarder | None = None, ipsec: Kernel | None = None) -> None:
        self.core = core
        self.store = store
        self.writer = writer
        self.forwarder = forwarder
        self.ipsec = ipsec
        self.started = time.monotonic()
        self._home = core.config.network.plmn

    def table(self) -> dict[str, Command]:
        """Name of the protocol to method: `subscribers.add` -> `subscribers_add`."""
        names = ("status", "ues", "ue.detach", "ue.guti", "ue.close", "ue.bearer.add",
                 "ue.bearer.remove", "enbs", "counters", "leaks", "diameter.peers",
                 "diameter.connect", "diameter.disconnect", "gtp.peers", "subscribers.list", "subscribers.get",
                 "subscribers.add", "subscribers.edit", "subscribers.remove", "subscribers.import",
                 "subscribers.seen", "subscribers.cancel", "subscribers.deregister", "hss.reset")
        profiles = ProfileCommands(self.store, self._save, lambda event: self.core.loop.tell("hss", event))
        own = {name: getattr(self, name.replace(".", "_")) for name in names}
        texts = SmsCommands(self.core, self.store, self._save)
        ims, ipsec = ImsCommands(self.core, self.store), IpsecCommands(self.core, self.ipsec)
        own |= MetricsCommands(self.core, self.forwarder).table()
        return own | RadioCommands(self.core).table() | ims.table() | ipsec.table() | profiles.table() | texts.table()

    # ---- the network -----------------------------------------------------------------------------

    def status(self, args: Args) -> Any:
        """Health in one look."""
        network = self.core.config.network
        return {
            "version": __version__,
            "uptime_s": round(time.monotonic() - self.started, 1),
            "network": {"name": network.name, "mcc": network.mcc, "mnc": network.mnc, "tac": list(network.tac)},
            "enbs": self.enbs(args),
            "phones": len(self.core.mme.by_imsi),
        }

    def enbs(self, args: Args) -> Any:
        """The eNBs that are connected."""
        return [_enb(enb) for enb in self.core.mme.enbs.values()]

    def ues(self, args: Args) -> Any:
        """The phones that are registered or on their way."""
        return [self._ue(ue) for ue in self.core.mme.ues.values() if ue.stands_for is None]

    def ue_detach(self, args: Args) -> Any:
        """Detach a phone."""
        imsi = self._registered(args)
        self.core.loop.tell("mme", DetachUe(imsi, bool(args.get("reattach", False)), bool(args.get("page", False))))
        return {}

    def ue_guti(self, args: Args) -> Any:
        """Give a phone another temporary identity."""
        self.core.loop.tell("mme", ReallocateGuti(self._registered(args)))
        return {}

    def _registered(self, args: Args) -> str:
        imsi = str(args["imsi"])
        if imsi not in self.core.mme.by_imsi:
            raise LocalError(f"{imsi} is not registered.", remedy="`dialtone ue list` shows who is.")
        return imsi

    def ue_close(self, args: Args) -> Any:
        """End a PDN connection of a phone; with its last one the phone is detached. `again`: it is to come back."""
        imsi, apn = str(args["imsi"]), str(args["apn"]).lower()
        ue = self.core.mme.by_imsi.get(imsi)
        if ue is None or apn not in ue.pdns:
            raise LocalError(f"{imsi} has no connection to {apn}.", remedy="`dialtone ue list` shows who has what.")
        if args.get("again"):
            self.core.loop.tell("pgw", EndConnection(imsi, apn, again=True))
        else:
            self.core.loop.tell("mme", ClosePdn(imsi, apn))
        return {}

    def ue_bearer_add(self, args: Args) -> Any:
        """Give a phone a dedicated bearer, by a rule of that name; one that it has is changed."""
        imsi, apn = str(args["imsi"]), str(args.get("apn", "internet")).lower()
        rule = rule_of_command(args)
        if (imsi, apn) not in self.core.pgw.sessions:
            raise LocalError(f"{imsi} has no connection to {apn}.", remedy="`dialtone ue list` shows who has what.")
        self.core.loop.tell("pgw", InstallRules(imsi, apn, (rule,)))
        return {"imsi": imsi, "apn": apn, "name": rule.name}

    def ue_bearer_remove(self, args: Args) -> Any:
        """Take the bearer of a rule away again."""
        imsi, name = str(args["imsi"]), str(args["name"])
        for session in self.core.pgw.sessions_of(imsi):
            if session.bearer_of(name) is not None:
                self.core.loop.tell("pgw", RemoveRules(imsi, session.apn, (name,)))
                return {"imsi": imsi, "apn": session.apn, "name": name}
        raise LocalError(f"{imsi} has no bearer {name!r}.", remedy="`dialtone ue list --json` shows its bearers.")

    def counters(self, args: Args) -> Any:
        """What was counted since the start: by message, and by occurrence."""
        messages = [{"kind": kind, "point": point, "name": name, "count": count}
                    for (kind, point, name), count in self.core.loop.bus.counters.items()]
        node = self.core.diameter
        counted = {f"Diameter {what}": count for what, count in node.counters.items()} if node else {}
        return {"messages": messages, "events": {**self.core.loop.counters, **counted}}

    def diameter_peers(self, args: Args) -> Any:
        """Diameter peers outside, with their states."""
        return self.core.diameter.states() if self.core.diameter else []

    def gtp_peers(self, args: Args) -> Any:
        """GTPv2-C peers outside, with the states of their paths and what they have here."""
        if self.core.gtp is None:
            return []
        pdns = Counter(pdn.gateway.rpartition(":")[0] for ue in self.core.mme.ues.values() for pdn in ue.pdns.values())
        sessions = Counter(session.tunnel.peer.rpartition(":")[0] for session in self.core.pgw.sessions.values())
        return [peer | {"pdn_connections": pdns[peer["peer"]], "sessions": sessions[peer["peer"]]}
                for peer in self.core.gtp.states()]

    def diameter_connect(self, args: Args) -> Any:
        """Connect to a Diameter peer, now."""
        return self._tell_node(Start(self._diameter_peer(args)))

    def diameter_disconnect(self, args: Args) -> Any:
        """Take leave of a Diameter peer and stay away (RFC 6733, 5.4.3: nothing more to say)."""
        return self._tell_node(Stop(self._diameter_peer(args), 2))

    def leaks(self, args: Args) -> Any:
        """What is in use; all zero when no phone is there."""
        pgw, mme, loop = self.core.pgw, self.core.mme, self.core.loop
        return {
            "addresses": sum(addresses.used for addresses in pgw.addresses.values()),
            "teids": sum(len(session.bearers) for session in pgw.sessions.values()),
            "tunnels": len(self.forwarder.bearers) if self.forwarder else 0,
            "contexts": len(mme.ues),
            "sas": len(self.core.pcscf.by_spi),
            "ims_phones": len(self.core.pcscf.registrations),
            "calls": len(self.core.pcscf.passing),
            "af_sessions": len(self.core.pgw.af_sessions),
            "texts": len(mme.exchanges),
            "timers": len(loop.timers()),
        }

    def _diameter_peer(self, args: Args) -> str:
        host = str(args["host"]).lower()
        if self.core.diameter is None or host not in self.core.diameter.peers:
            raise LocalError(f"There is no Diameter peer {host}.", remedy="`dialtone diameter peers` shows all.")
        return host

    def _tell_node(self, event: Start | Stop) -> Any:
        self.core.loop.tell("diameter", event)
        return {}

    def _ue(self, ue: Ue) -> dict[str, Any]:
        return {
            "imsi": ue.imsi,
            "label": ue.label,
            "msisdn": ue.subscription.msisdn if ue.subscription else None,
            "guti": str(ue.guti) if ue.guti else None,
            "emm": ue.emm,
            "ecm": ue.ecm,
            "enb": ue.enb.name if ue.enb else None,
            "tai": str(ue.tai) if ue.tai else None,
            "since": ue.since,
            "bearers": [self._bearer(pdn, bearer)
                        for pdn in ue.pdns.values() for bearer in pdn.bearers.values()],
        }

    def _bearer(self, pdn: Pdn, bearer: Bearer) -> dict[str, Any]:
        teid, enb = bearer.sgw[1], bearer.enb
        used = self.forwarder.bearers.get(teid) if self.forwarder else None
        return {
            "ebi": bearer.ebi, "apn": pdn.apn, "qci": bearer.qci, "teid": teid,
            "ue_ip": str(pdn.address) if pdn.address else "",
            "ue_prefix": str(pdn.prefix) if pdn.prefix else "",
            "enb_teid": enb[1] if enb else None,
            "enb_ip": ".".join(map(str, enb[0])) if enb else None,
            "filters": [str(one) for one in used.filters] if used else [],
            "mbr": used.mbr.rates if used else (0, 0),
            "ambr": used.session.ambr.rates if used else (0, 0),
            "up_policed": used.up_policed if used else 0,
            "down_policed": used.down_policed if used else 0,
            "up_packets": used.up_packets if used else 0,
            "up_bytes": used.up_bytes if used else 0,
            "down_packets": used.down_packets if used else 0,
            "down_bytes": used.down_bytes if used else 0,
        }

    # ---- subscribers -----------------------------------------------------------------------------

    def subscribers_list(self, args: Args) -> Any:
        """All of them, without keys."""
        return [_public(subscriber) for subscriber in self.store.subscribers(tag=str(args.get("tag", "")))]

    def subscribers_get(self, args: Args) -> Any:
        """One of them; with `keys` its K and OPc too."""
        subscriber = self._subscriber(args)
        served = self.store.registration(subscriber.imsi)
        ims = self.store.ims_registration(subscriber.imsi)
        return {**_public(subscriber, keys=bool(args.get("keys", False))), "served_by": served and _served(served),
                "ims": ims and {"scscf": ims.scscf, "state": ims.state, "since": ims.since}}

    async def subscribers_add(self, args: Args) -> Any:
        """A new one."""
        subscriber = make_subscriber({"profile": "default", **_fields(args)}, profiles=self.store.profiles(),
                                     home=self._home)
        await self._save(PutSubscriber(subscriber, int(time.time())))
        return {**_public(subscriber), "doubts": [str(doubt) for doubt in doubts(subscriber, self._home)]}

    async def subscribers_edit(self, args: Args) -> Any:
        """Changes of one that is there; what is not named stays."""
        present = self._subscriber(args)
        changed = make_subscriber(_fields(args), profiles=self.store.profiles(), home=self._home, base=present)
        await self._save(PutSubscriber(changed, int(time.time()), overwrite=True))
        self._push([present])
        return _public(changed)

    async def subscribers_remove(self, args: Args) -> Any:
        """One less; its sequence number mark stays, so that a card that comes back works at once."""
        subscriber = self._subscriber(args)
        served, ims = self.store.registration(subscriber.imsi), self.store.ims_registration(subscriber.imsi)
        await self._save(RemoveSubscriber(subscriber.imsi))
        if ims is not None:
            self.core.loop.tell("hss", EndRegistration(subscriber, ims))
        if served is not None:
            self.core.loop.tell("hss", Withdraw(served))
        return _public(subscriber)

    async def subscribers_import(self, args: Args) -> Any:
        """A CSV: what would happen, and with `dry_run` false it does."""
        plan = plan_import(str(args["csv"]).encode(), present=self.store.subscribers(),
                           profiles=self.store.profiles(), home=self._home)
        overwrite = bool(args.get("overwrite", False))
        if not args.get("dry_run", True):
            before = [subscriber for row in plan.conflicts if overwrite
                      and (subscriber := self.store.get(row.subscriber.imsi))]
            await self._save(*plan.writes(now=int(time.time()), overwrite=overwrite))
            self._push(before)
        return _report(plan)

    async def subscribers_cancel(self, args: Args) -> Any:
        """Have the MME let go of the phone; with `reattach` it comes back at once, with its subscription of now."""
        subscriber = self._subscriber(args)
        served = self.store.registration(subscriber.imsi)
        if served is None or served.purged:
            raise LocalError(f"No MME serves {subscriber.imsi}.", remedy="`dialtone ue list` shows who is here.")
        self.core.loop.tell("hss", Withdraw(served, bool(args.get("reattach", False))))
        return {"mme": served.mme}

    async def subscribers_deregister(self, args: Args) -> Any:
        """Have the S-CSCF end the phone's IMS registration; with `again` the phone may register anew at once."""
        subscriber = self._subscriber(args)
        served = self.store.ims_registration(subscriber.imsi)
        if served is None:
            raise LocalError(f"No S-CSCF has {subscriber.imsi}.", remedy="It is not registered for IMS.")
        self.core.loop.tell("hss", EndRegistration(
            subscriber, served, REASONS["again" if args.get("again", False) else "removed"]))
        return {"scscf": served.scscf}

    def hss_reset(self, args: Args) -> Any:
        """Have every MME tell again where its phones are."""
        mmes = {served.mme for served in self.store.registrations() if not served.purged}
        self.core.loop.tell("hss", Reset())
        return {"mmes": sorted(mmes)}

    def subscribers_seen(self, args: Args) -> Any:
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

    async def _save(self, *writes: Write) -> None:
        """Wait for the commit; raises what made it fail."""
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(error: Exception | None) -> None:
            if outcome.cancelled():
                return
            if error is None:
                outcome.set_result(None)
            else:
                outcome.set_exception(error)

        self.writer.submit(writes, done)
        await outcome


def _enb(enb: Enb) -> dict[str, Any]:
    return {
        "name": enb.name, "peer": enb.peer, "id": enb.enb_id, "plmn": str(enb.plmn),
        "tais": [{"plmn": str(tai.plmn), "tac": tai.tac} for tai in enb.tais],
        "phones": len(enb.ues), "since": enb.since,
    }


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
