# SPDX-License-Identifier: Apache-2.0
"""Kamailio as I-CSCF, S-CSCF and P-CSCF, on this machine's loopback (Debian: kamailio, kamailio-ims-modules, and
kamailio-presence-modules, which the registrars want).

Configurations after its own examples, as small as they can be. I-CSCF and S-CSCF are Diameter peers of our node.
"""

import asyncio
import os
import signal
from pathlib import Path

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
LOOPBACK = "127.0.0.1"
SCHEMA = "/usr/share/doc/kamailio/examples/ims/scscf/CxDataType_Rel7.xsd"
DOMAIN = "ims.mnc001.mcc001.3gppnetwork.org"
ICSCF, SCSCF, PCSCF = f"icscf-k.{DOMAIN}", f"scscf-k.{DOMAIN}", f"pcscf-k.{DOMAIN}"

CDP = """<?xml version="1.0" encoding="UTF-8"?>
<DiameterPeer FQDN="{host}" Realm="{domain}" Vendor_Id="10415" Product_Name="CDiameterPeer" AcceptUnknownPeers="0"
 DropUnknownOnDisconnect="1" Tc="1" Workers="1" QueueLength="32" TransactionTimeout="5" SessionsHashSize="16"
 DefaultAuthSessionTimeout="3600" MaxAuthSessionTimeout="3600">
 <Peer FQDN="{hss}" Realm="{domain}" port="1"/>
 <Acceptor port="{port}" bind="127.0.0.1"/>
 <Auth id="16777216" vendor="10415"/>
 <SupportedVendor vendor="10415"/>
 <DefaultRoute FQDN="{hss}" metric="10"/>
</DiameterPeer>
"""

COMMON = """#!KAMAILIO
debug=2
log_stderror=yes
children=1
auto_aliases=no
listen=udp:{address}:{sip_port}
listen=tcp:{address}:{sip_port}
tcp_source_ipv4={address}
alias="{host}"
mpath="{modules}"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "pv.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
"""

OVER_CX = """
loadmodule "cdp.so"
loadmodule "cdp_avp.so"
modparam("cdp", "config_file", "{directory}/{host}.xml")
"""

SERVING = OVER_CX + """
loadmodule "ims_dialog.so"
loadmodule "presence.so"
loadmodule "ims_usrloc_scscf.so"
loadmodule "ims_registrar_scscf.so"
loadmodule "ims_auth.so"
modparam("ims_dialog", "dlg_flag", 2)
modparam("ims_auth", "name", "sip:{host}:{sip_port}")
modparam("ims_auth", "cxdx_dest_realm", "{domain}")
modparam("ims_auth", "registration_default_algorithm", "AKAv1-MD5")
modparam("ims_registrar_scscf", "scscf_name", "sip:{host}:{sip_port}")
modparam("ims_registrar_scscf", "cxdx_dest_realm", "{domain}")
modparam("ims_registrar_scscf", "user_data_xsd", "{schema}")
modparam("ims_registrar_scscf", "default_expires", 3600)
modparam("ims_registrar_scscf", "min_expires", 60)
modparam("ims_registrar_scscf", "max_expires", 604800)
modparam("ims_registrar_scscf", "use_path", 1)
modparam("ims_registrar_scscf", "subscription_min_expires", 60)
modparam("ims_registrar_scscf", "subscription_max_expires", 604800)

route {{
    if (t_lookup_request()) {{ exit; }}
    if (is_method("SUBSCRIBE") && $hdr(Event) == "reg") {{ route(WATCH); exit; }}
    if (!is_method("REGISTER")) {{ route(PASS); exit; }}
    if (!ims_www_authenticate("{domain}")) {{
        if ($? == -2) {{ send_reply("403", "Authentication Failed"); exit; }}
        if ($? == -3) {{ send_reply("400", "Bad Request"); exit; }}
        if ($? == -9) {{ ims_www_resync_auth("RESYNC", "{domain}"); exit; }}
        ims_www_challenge("CHALLENGED", "{domain}", "AKAv1-MD5");
        exit;
    }}
    save("SAVED", "location", "0", "0");  # with two arguments it may crash (kamailio#3412)
    exit;
}}
route[RESYNC] {{ ims_www_challenge("CHALLENGED", "{domain}", "AKAv1-MD5"); exit; }}
route[WATCH] {{
    if (!t_newtran()) {{ exit; }}
    if (!has_totag() && !can_subscribe_to_reg("location")) {{ t_reply("403", "Forbidden to SUBSCRIBE"); exit; }}
    if (subscribe_to_reg("location") == -1) {{ t_reply("500", "Server Error saving subscription"); }}
    exit;
}}
route[PASS] {{
    loose_route();
    if (is_method("ACK|CANCEL") || has_totag()) {{ t_relay(); exit; }}
    if (is_method("INVITE")) {{ record_route(); }}
    if ($route_uri =~ "sip:orig@.*") {{
        $du = "sip:{icscf_address}:{icscf_port}";
        t_relay();
        exit;
    }}
    if (!lookup("location")) {{ send_reply("404", "Not Found"); exit; }}
    t_relay();
    exit;
}}
route[CHALLENGED] {{ xlog("L_NOTICE", "maa $avp(s:maa_return_code)\\n"); exit; }}
route[SAVED] {{ xlog("L_NOTICE", "saa $avp(s:saa_return_code)\\n"); exit; }}
"""

INTERROGATING = OVER_CX + """
loadmodule "db_text.so"
loadmodule "ims_icscf.so"
modparam("ims_icscf", "db_url", "text://{directory}/db")
modparam("ims_icscf", "cxdx_dest_realm", "{domain}")

route {{
    if (t_lookup_request()) {{ exit; }}
    if (!is_method("REGISTER")) {{
        if (!I_perform_location_information_request("LOCATED", "0")) {{ send_reply("500", "Error in Request"); }}
        exit;
    }}
    if (!I_perform_user_authorization_request("ASKED", "0")) {{ send_reply("500", "Error in Request"); }}
    exit;
}}
route[ASKED] {{
    switch ($avp(s:uaa_return_code)) {{
        case 1:
            if (I_scscf_select("0")) {{
                $du = "sip:{scscf_address}:{scscf_port}";
                if (!t_relay()) {{ t_reply("500", "Error forwarding to S-CSCF"); }}
            }} else {{ I_scscf_drop(); t_reply("500", "No S-CSCF"); }}
            break;
        case -1: break;
        default: t_reply("500", "UAR failed");
    }}
    exit;
}}
route[LOCATED] {{
    if ($avp(s:lia_return_code) == 1 && I_scscf_select("0")) {{
        $du = "sip:{scscf_address}:{scscf_port}";
        if (!t_relay()) {{ t_reply("500", "Error forwarding to S-CSCF"); }}
    }} else {{ t_reply("404", "LIR failed"); }}
    exit;
}}
"""

BEFORE = """
loadmodule "ims_dialog.so"
loadmodule "ims_usrloc_pcscf.so"
loadmodule "ims_ipsec_pcscf.so"
loadmodule "db_text.so"
loadmodule "pua.so"
modparam("pua", "db_url", "text://{directory}/db")
loadmodule "ims_registrar_pcscf.so"
modparam("ims_ipsec_pcscf", "ipsec_listen_addr", "{address}")
modparam("ims_ipsec_pcscf", "ipsec_max_connections", 1)
modparam("ims_dialog", "dlg_flag", 2)
modparam("ims_registrar_pcscf", "pcscf_uri", "sip:{address}:{sip_port}")
modparam("ims_registrar_pcscf", "ignore_reg_state", 1)
modparam("ims_registrar_pcscf", "is_registered_fallback2ip", 1)
modparam("ims_registrar_pcscf", "subscribe_to_reginfo", 1)
modparam("ims_registrar_pcscf", "publish_reginfo", 0)
modparam("ims_registrar_pcscf", "force_icscf_uri", "{core}")

route {{
    if (is_method("REGISTER")) {{ route(REGISTER); exit; }}
    if (is_method("NOTIFY") && uri == myself) {{
        if (reginfo_handle_notify("location")) {{ send_reply("200", "OK"); }} else {{ send_reply("500", "Error"); }}
        exit;
    }}
    loose_route();
    if (is_method("ACK|CANCEL") || has_totag()) {{ t_relay(); exit; }}
    if (is_method("INVITE|SUBSCRIBE")) {{ record_route(); }}
    if ($route_uri =~ "sip:term@.*") {{ t_relay(); exit; }}
    if (!pcscf_is_registered("location")) {{ send_reply("403", "You must register first"); exit; }}
    remove_hf("P-Asserted-Identity");
    remove_hf("P-Preferred-Identity");
    if (pcscf_assert_identity("location", "$(fu{{tobody.uri}})")) {{
        append_hf("P-Asserted-Identity: <$(fu{{tobody.uri}})>\r\n");
    }} else {{ append_hf("P-Asserted-Identity: <$pcscf_asserted_identity>\r\n"); }}
    pcscf_force_service_routes("location");
    $du = "{core}";
    t_relay();
    exit;
}}
route[REGISTER] {{
    pcscf_save_pending("location");
    append_hf("Path: <sip:term@{host}:{sip_port}{transport};lr>\r\n");
    remove_hf("Supported");
    append_hf("Supported: path\r\n");
    remove_hf("Require");
    append_hf("Require: path\r\n");
    {visited}
    t_on_reply("REGISTERED");
    $du = "{core}";
    t_relay();
    exit;
}}
onreply_route[REGISTERED] {{
    if (t_check_status("200")) {{ pcscf_save("location"); }}
    exit;
}}
"""

VISITED = f'append_hf("P-Visited-Network-ID: {DOMAIN}\\r\\n");'
CONFIGURATIONS = {ICSCF: INTERROGATING, SCSCF: SERVING, PCSCF: BEFORE}

TABLES = {
    "version": "table_name(string) table_version(int)\npua:7\n",
    "pua": "id(int) pres_uri(string) pres_id(string) event(int) expires(int) desired_expires(int) flag(int) "
           "etag(string,null) tuple_id(string,null) watcher_uri(string) call_id(string) to_tag(string) "
           "from_tag(string) cseq(int) record_route(string,null) contact(string) remote_contact(string) version(int) "
           "extra_headers(string)\n",
    "nds_trusted_domains": "id(int) trusted_domain(string)\n1:example.org\n",
    "s_cscf": "id(int) name(string) s_cscf_uri(string)\n1:other:sip\\:other.example.org\n",
    "s_cscf_capabilities": "id(int) id_s_cscf(int) capability(int)\n1:1:0\n",
}


class Kamailio:
    """One instance; `log` is what it said."""

    def __init__(self, directory: Path, host: str, sip_port: int, port: int = 0, **settings: object) -> None:
        self.directory, self.host, self.sip_port, self.port = directory, host, sip_port, port
        self.settings = {"directory": directory, "host": host, "sip_port": sip_port, "port": port, "domain": DOMAIN,
                         "modules": MODULES, "schema": SCHEMA, "address": LOOPBACK, "scscf_address": LOOPBACK,
                         "icscf_address": LOOPBACK, "icscf_port": 5060, **settings}
        self.process: asyncio.subprocess.Process | None = None

    @property
    def log(self) -> str:
        return (self.directory / f"{self.host}.log").read_text(errors="replace")

    @property
    def connected(self) -> bool:
        """Whether it takes the connection with the HSS for open: a little later than the HSS does."""
        return self.host == PCSCF or "Dropping serviced_peer_t" in self.log

    @property
    def ended(self) -> bool:
        """Whether it gave up."""
        return self.process is not None and self.process.returncode is not None

    async def start(self) -> None:
        """Write its files and start it; it connects to us by itself."""
        if self.host != PCSCF:
            (self.directory / f"{self.host}.xml").write_text(CDP.format(**self.settings))
        (self.directory / f"{self.host}.cfg").write_text(
            (COMMON + CONFIGURATIONS[self.host]).format(**self.settings))
        (self.directory / "db").mkdir(exist_ok=True)
        for name, text in TABLES.items():
            (self.directory / "db" / name).write_text(text)
        with (self.directory / f"{self.host}.log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                # The registrar of its P-CSCF wants the module for IPsec, which throws away every SA of the machine when
                # it starts: not with these rights.
                "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin",
                "kamailio", "-f", str(self.directory / f"{self.host}.cfg"), "-DD", "-E", "-m", "64", "-M", "16",
                "-Y", str(self.directory), stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "RES_OPTIONS": "timeout:1 attempts:1"})  # it looks the HSS up, and all waits

    async def stop(self) -> None:
        """End it and its children."""
        if self.process is not None and self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
