# SPDX-License-Identifier: Apache-2.0
"""Mw as the P-CSCF sees it (TS 24.229, 5.2): the CSCFs of this process, or with `icscf` in [ims] those of another
maker, which know us by address and port, so that nobody needs a name server.
"""

from dialtone.codec.sip import NameAddr, SipUri, Via
from dialtone.config import Config
from dialtone.errors import ProtocolError
from dialtone.sip.flow import Flow, bracketed, flow_to
from dialtone.sip.transactions import own_via

SCSCF = "scscf"


class Core:
    """`entry` is who gets what has no route: an element, or a flow. `host` stands for us in URIs, `trusted` are the
    addresses of those that are heard. The E-CSCF, where emergency calls go, is always that of this process."""

    def __init__(self, config: Config, name: str) -> None:
        ims = config.ims
        self.ecscf = ("dialog", f"scscf.{config.network.plmn.ims_domain}")  # as its Record-Route says
        self.outside = bool(ims.icscf)
        self.address = ims.core or config.s1.address
        self.port = ims.mw_port
        self.hosts = ims.hosts
        self.entry = f"{ims.icscf}/{self.port}" if self.outside else SCSCF
        own = bracketed(self.address)
        self.host = f"{own}:{self.port}" if self.outside else name
        self._via = own_via(own if self.outside else name)
        flow = Flow.find(self.entry)
        self.params = ";transport=tcp" if flow is not None and flow.reliable else ""
        self.trusted = {flow.host} if flow is not None else set()
        self.trusted |= {address.rpartition(":")[0] for address in ims.hosts.values()}

    def via(self, peer: str) -> Via:
        """Our Via towards this peer."""
        return self._via(peer)

    def own(self, uri: SipUri) -> bool:
        """Whether it is our name outside."""
        return self.outside and uri.host.strip("[]") == self.address and uri.port == self.port

    def peer(self, next_hop: str) -> str:
        """Who gets a request with this next hop, a URI or a Route: the entry where that is nobody that we know."""
        if self.outside:
            try:
                uri = NameAddr.parse(next_hop).uri if "<" in next_hop else next_hop
                parsed = SipUri.parse(uri)
                flow = flow_to(parsed, self.hosts, self.port)
            except ProtocolError:
                return self.entry
            if (parsed.user, parsed.host) == self.ecscf:
                return SCSCF
            if flow is not None and flow.host in self.trusted:
                return str(flow)
        return self.entry
