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


@pytest.mark.parametrize(("text", "why"), [
    ('hosts = { "a.b" = "10.0.1.9:5060" }', "cannot reach the S-CSCF"), ('core = "x"', "IPv4 address"),
    ('hosts = { "a.b" = "10.0.1.9" }', "address and port"), ('hosts = { "a.b" = "10.0.1.9:0" }', "address and port"),
    ('hosts = "x"', "must name hosts"), ('country_code = "049"', "1 to 3 digits"),
    ('short_codes = { "x" = "sip:a@b" }', "must name services"), ('short_codes = { "1" = "tel:1" }', "services")])
def test_ims_settings_that_cannot_be(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        loaded(tmp_path, text)
