# SPDX-License-Identifier: Apache-2.0
"""[ims]: numbers and elements of other makers."""

from pathlib import Path

import pytest

from dialtone.config import ConfigError, load


def loaded(path: Path, text: str) -> object:
    file = path / "dialtone.toml"
    file.write_text(f"[ims]\n{text}\n")
    return load([file]).ims


def test_hosts_of_others(tmp_path: Path) -> None:
    ims = loaded(tmp_path, 'core = "10.0.1.133"\nhosts = { "PCSCF.example.org" = "10.0.1.9:4060" }\n'
                           'country_code = "49"\nshort_codes = { "*100#" = "sip:a@b.org" }\nchallenge_always = false')
    assert getattr(ims, "hosts", None) == {"pcscf.example.org": "10.0.1.9:4060"}
    assert getattr(ims, "short_codes", None) == {"*100#": "sip:a@b.org"}


def test_a_core_of_another_maker(tmp_path: Path) -> None:
    ims = loaded(tmp_path, 'icscf = "tcp:10.0.1.9:5060"\nhosts = { "scscf.example.org" = "10.0.1.9:6060" }')
    assert getattr(ims, "icscf", None) == "tcp:10.0.1.9:5060"


@pytest.mark.parametrize(("text", "why"), [
    ('icscf = "10.0.1.9:5060"', r"line 2: ims.icscf must be transport, address and port"),
    ('icscf = "sctp:10.0.1.9:5060"', "transport, address"), ('icscf = "udp:10.0.1.9:99999"', "transport, address"),
    ('icscf = "udp:host:5060"', "IPv4 address"),
    ('core = "10.0.1.133"\nicscf = "udp:10.0.1.9:5060"\nmw_port = 5060', "Choose another ims.mw_port"),
    ('hosts = { "a.b" = "10.0.1.9:5060" }', "cannot reach the S-CSCF"), ('core = "x"', "IPv4 address"),
    ('hosts = { "a.b" = "10.0.1.9" }', "address and port"), ('hosts = { "a.b" = "10.0.1.9:0" }', "address and port"),
    ('hosts = "x"', "must name hosts"), ('country_code = "049"', "1 to 3 digits"),
    ('short_codes = { "x" = "sip:a@b" }', "must name services"), ('short_codes = { "1" = "tel:1" }', "services")])
def test_ims_settings_that_cannot_be(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        loaded(tmp_path, text)
