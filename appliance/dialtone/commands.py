# SPDX-License-Identifier: Apache-2.0
"""What the control socket of the core can be asked: status, phones, subscribers, counters, leaks."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from dialtone import __version__
from dialtone.commands_class import ClassCommands
from dialtone.commands_ims import ImsCommands
from dialtone.commands_ipsec import IpsecCommands, Kernel
from dialtone.commands_metrics import MetricsCommands
from dialtone.commands_profiles import ProfileCommands
from dialtone.commands_radio import RadioCommands
from dialtone.commands_sms import SmsCommands
from dialtone.commands_subscribers import SubscriberCommands
from dialtone.control import Args, Command
from dialtone.datapath.forwarder import Forwarder
from dialtone.diameter.effects import Start, Stop
from dialtone.effects import Write
from dialtone.errors import LocalError
from dialtone.hss.store import Store
from dialtone.hss.writer import Done
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

    def table(self) -> dict[str, Command]:
        """Name of the protocol to method: `ue.detach` -> `ue_detach`."""
        names = ("status", "ues", "ue.detach", "ue.guti", "ue.close", "ue.bearer.add", "ue.bearer.remove", "enbs",
                 "counters", "leaks", "diameter.peers", "diameter.connect", "diameter.disconnect", "gtp.peers")
        profiles = ProfileCommands(self.store, self._save, lambda event: self.core.loop.tell("hss", event))
        own = {name: getattr(self, name.replace(".", "_")) for name in names}
        texts = SmsCommands(self.core, self.store, self._save)
        ims, ipsec = ImsCommands(self.core, self.store), IpsecCommands(self.core, self.ipsec)
        own |= MetricsCommands(self.core, self.forwarder).table() | ClassCommands(self.core, self._save).table()
        own |= SubscriberCommands(self.core, self.store, self._save).table()
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
            "ims_phones": len(self.core.pcscf.registrations) + len(self.core.pcscf.guests),
            "ims_users": len(self.core.scscf.users),
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
