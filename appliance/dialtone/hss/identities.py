# SPDX-License-Identifier: Apache-2.0
"""IMS identities that follow from IMSI and MSISDN (TS 23.003, 13)."""

from typing import Final

from dialtone.ids import Plmn

# Mobile country codes whose networks have three digits of MNC (ITU-T E.212). It matters for foreign cards only: of our
# own network's cards the configuration knows it.
_THREE_DIGITS: Final = frozenset((
    "302", "310", "311", "312", "313", "314", "315", "316", "334", "338", "342", "344", "346", "348", "352", "354",
    "356", "358", "360", "365", "366", "376", "708", "722", "732", "750",
))


def home_domain(imsi: str, home: Plmn | None) -> str:
    """`ims.mncXXX.mccYYY.3gppnetwork.org`, MNC filled up with zeros to three digits (TS 23.003, 13.2)."""
    if home is not None and imsi.startswith(home.mcc + home.mnc):
        mnc = home.mnc
    else:
        mnc = imsi[3:6] if imsi[:3] in _THREE_DIGITS else imsi[3:5]
    return Plmn(imsi[:3], mnc).ims_domain


def default_impi(imsi: str, home: Plmn | None) -> str:
    """The private identity of a phone without ISIM (TS 23.003, 13.3)."""
    return f"{imsi}@{home_domain(imsi, home)}"


def default_impus(imsi: str, msisdns: tuple[str, ...], home: Plmn | None) -> tuple[str, ...]:
    """SIP and tel URI of each MSISDN, then the temporary public identity (TS 23.003, 13.4 and 13.4B).

    The order matters: phones use the first of P-Associated-URI as their caller identity. A number of at most six
    digits is no E.164 number; it becomes a local one of the home domain (RFC 3966, 5.1.5).
    """
    domain = home_domain(imsi, home)
    found = []
    for msisdn in msisdns:
        if len(msisdn) > 6:
            found += [f"sip:+{msisdn}@{domain}", f"tel:+{msisdn}"]
        else:
            found += [f"sip:{msisdn}@{domain}", f"tel:{msisdn};phone-context={domain}"]
    return (*found, f"sip:{imsi}@{domain}")


def domains(imsi: str) -> tuple[str, str]:
    """The IMS domains of an IMSI whose MNC has two digits, or three."""
    return tuple(f"ims.mnc{imsi[3:end]:0>3}.mcc{imsi[:3]}.3gppnetwork.org" for end in (5, 6))  # type: ignore[return-value]
