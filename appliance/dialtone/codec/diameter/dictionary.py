# SPDX-License-Identifier: Apache-2.0
"""The AVP dictionary: code, type and flags of every AVP by its name.

The rows are those of RFC 6733, 4.5, of TS 29.272, table 7.3.1-1, of TS 29.214, table 5.3.0.1, of TS 29.229, table
6.3.1, and of TS 29.338, table 6.3.3.1-1, with the AVPs that the first two of 3GPP reuse (tables 7.3.1-2 and 5.4.0.1).
Where RFC 4740 gives the name of an AVP of TS 29.229 to another one of its own, with another code, the name here has the
3GPP- in front that tshark prints. M: the mandatory bit is set on sending. A type in parentheses is what the octets
mean: OctetString(16) has that many octets, OctetString(Plmn) is a `dialtone.ids.Plmn`, OctetString(Tbcd) is digits.
"""

from typing import NamedTuple

TGPP = 10415


class AvpType(NamedTuple):
    """One row of the dictionary; `vendor` 0 means no V bit and no Vendor-ID field."""

    name: str
    code: int
    type: str
    mandatory: bool
    vendor: int

    @property
    def key(self) -> int:
        """Code and vendor as one number, as the decoders compare it."""
        return self.vendor << 32 | self.code


_RFC_6733 = """
Acct-Application-Id                259  Unsigned32        M
Auth-Application-Id                258  Unsigned32        M
Auth-Grace-Period                  276  Unsigned32        M
Auth-Request-Type                  274  Enumerated        M
Auth-Session-State                 277  Enumerated        M
Authorization-Lifetime             291  Unsigned32        M
Destination-Host                   293  DiameterIdentity  M
Destination-Realm                  283  DiameterIdentity  M
Disconnect-Cause                   273  Enumerated        M
Error-Message                      281  UTF8String
Error-Reporting-Host               294  DiameterIdentity
Experimental-Result                297  Grouped           M
Experimental-Result-Code           298  Unsigned32        M
Failed-AVP                         279  OctetString       M
Firmware-Revision                  267  Unsigned32
Host-IP-Address                    257  Address           M
Inband-Security-Id                 299  Unsigned32        M
Origin-Host                        264  DiameterIdentity  M
Origin-Realm                       296  DiameterIdentity  M
Origin-State-Id                    278  Unsigned32        M
Product-Name                       269  UTF8String
Proxy-Host                         280  DiameterIdentity  M
Proxy-Info                         284  Grouped           M
Proxy-State                         33  OctetString       M
Redirect-Host                      292  UTF8String        M
Redirect-Host-Usage                261  Enumerated        M
Redirect-Max-Cache-Time            262  Unsigned32        M
Result-Code                        268  Unsigned32        M
Route-Record                       282  DiameterIdentity  M
Session-Id                         263  UTF8String        M
Session-Timeout                     27  Unsigned32        M
Supported-Vendor-Id                265  Unsigned32        M
User-Name                            1  UTF8String        M
Vendor-Id                          266  Unsigned32        M
Vendor-Specific-Application-Id     260  Grouped           M
"""

# RFC 5447, RFC 5778, RFC 7944; RFC 4005 and RFC 4006 for Rx; RFC 4740 for digests on Cx.
_RFC_REUSED = """
Called-Station-Id                   30  UTF8String        M
Class                               25  OctetString       M
Digest-Algorithm                   111  UTF8String        M
Digest-HA1                         121  UTF8String        M
Digest-Qop                         110  UTF8String        M
Digest-Realm                       104  UTF8String        M
Framed-IP-Address                    8  OctetString(4)    M
Framed-IPv6-Prefix                  97  OctetString       M
Subscription-Id                    443  Grouped           M
Subscription-Id-Data               444  UTF8String        M
Subscription-Id-Type               450  Enumerated        M
Termination-Cause                  295  Enumerated        M
DRMP                               301  Enumerated
MIP6-Agent-Info                    486  Grouped           M
MIP-Home-Agent-Address             334  Address           M
MIP-Home-Agent-Host                348  Grouped           M
Service-Selection                  493  UTF8String        M
"""

_TS_29_272 = """
3GPP-Charging-Characteristics       13  UTF8String
Max-Requested-Bandwidth-DL         515  Unsigned32        M
Max-Requested-Bandwidth-UL         516  Unsigned32        M
Visited-Network-Identifier         600  OctetString       M
Supported-Features                 628  Grouped
Feature-List-ID                    629  Unsigned32
Feature-List                       630  Unsigned32
MSISDN                             701  OctetString(Tbcd) M
Served-Party-IP-Address            848  Address           M
QoS-Class-Identifier              1028  Enumerated        M
RAT-Type                          1032  Enumerated        M
Allocation-Retention-Priority     1034  Grouped           M
Priority-Level                    1046  Unsigned32        M
Pre-emption-Capability            1047  Enumerated        M
Pre-emption-Vulnerability         1048  Enumerated        M
Subscription-Data                 1400  Grouped           M
Terminal-Information              1401  Grouped           M
IMEI                              1402  UTF8String        M
Software-Version                  1403  UTF8String        M
ULR-Flags                         1405  Unsigned32        M
ULA-Flags                         1406  Unsigned32        M
Visited-PLMN-Id                   1407  OctetString(Plmn) M
Requested-EUTRAN-Authentication-Info      1408  Grouped   M
Requested-UTRAN-GERAN-Authentication-Info 1409  Grouped   M
Number-Of-Requested-Vectors       1410  Unsigned32        M
Re-Synchronization-Info           1411  OctetString(30)   M
Immediate-Response-Preferred      1412  Unsigned32        M
Authentication-Info               1413  Grouped           M
E-UTRAN-Vector                    1414  Grouped           M
Network-Access-Mode               1417  Enumerated        M
HPLMN-ODB                         1418  Unsigned32        M
Item-Number                       1419  Unsigned32        M
Cancellation-Type                 1420  Enumerated        M
DSR-Flags                         1421  Unsigned32        M
DSA-Flags                         1422  Unsigned32        M
Context-Identifier                1423  Unsigned32        M
Subscriber-Status                 1424  Enumerated        M
Operator-Determined-Barring       1425  Unsigned32        M
Access-Restriction-Data           1426  Unsigned32        M
APN-OI-Replacement                1427  UTF8String        M
All-APN-Configurations-Included-Indicator 1428  Enumerated M
APN-Configuration-Profile         1429  Grouped           M
APN-Configuration                 1430  Grouped           M
EPS-Subscribed-QoS-Profile        1431  Grouped           M
VPLMN-Dynamic-Address-Allowed     1432  Enumerated        M
STN-SR                            1433  OctetString       M
Alert-Reason                      1434  Enumerated        M
AMBR                              1435  Grouped           M
PDN-GW-Allocation-Type            1438  Enumerated        M
RAT-Frequency-Selection-Priority-ID 1440 Unsigned32       M
IDA-Flags                         1441  Unsigned32        M
PUA-Flags                         1442  Unsigned32        M
NOR-Flags                         1443  Unsigned32        M
User-Id                           1444  UTF8String
Regional-Subscription-Zone-Code   1446  OctetString       M
RAND                              1447  OctetString(16)   M
XRES                              1448  OctetString       M
AUTN                              1449  OctetString(16)   M
KASME                             1450  OctetString(32)   M
PDN-Type                          1456  Enumerated        M
Roaming-Restricted-Due-To-Unsupported-Feature 1457 Enumerated M
Trace-Reference                   1459  OctetString(3)    M
3GPP2-MEID                        1471  OctetString       M
Specific-APN-Info                 1472  Grouped           M
SGSN-Number                       1489  OctetString       M
IDR-Flags                         1490  Unsigned32        M
ICS-Indicator                     1491  Enumerated
IMS-Voice-Over-PS-Sessions-Supported 1492 Enumerated
Homogeneous-Support-of-IMS-Voice-Over-PS-Sessions 1493 Enumerated
Last-UE-Activity-Time             1494  Time
EPS-User-State                    1495  Grouped
EPS-Location-Information          1496  Grouped
MME-User-State                    1497  Grouped
User-State                        1499  Enumerated
MME-Location-Information          1600  Grouped
E-UTRAN-Cell-Global-Identity      1602  OctetString(7)
Tracking-Area-Identity            1603  OctetString(5)
Current-Location-Retrieved        1610  Enumerated
Age-Of-Location-Information       1611  Unsigned32
Active-APN                        1612  Grouped
Error-Diagnostic                  1614  Enumerated
UE-SRVCC-Capability               1615  Enumerated
MPS-Priority                      1616  Unsigned32
Subscribed-Periodic-RAU-TAU-Timer 1619  Unsigned32
PUR-Flags                         1635  Unsigned32
Equivalent-PLMN-List              1637  Grouped
CLR-Flags                         1638  Unsigned32
Time-Zone                         1642  UTF8String
A-MSISDN                          1643  OctetString(Tbcd)
MME-Number-for-MT-SMS             1645  OctetString
SMS-Register-Request              1648  Enumerated
Local-Time-Zone                   1649  Grouped
Daylight-Saving-Time              1650  Enumerated
Subscription-Data-Flags           1654  Unsigned32
SGs-MME-Identity                  1664  UTF8String
Coupled-Node-Diameter-ID          1666  DiameterIdentity
Reset-ID                          1670  OctetString
Adjacent-PLMNs                    1672  Grouped
AIR-Flags                         1679  Unsigned32
UE-Usage-Type                     1680  Unsigned32
Subscription-Data-Deletion        1685  Grouped
GMLC-Address                      2405  Address           M
Maximum-UE-Availability-Time      3329  Time
"""

# With those of TS 29.061, TS 29.212 and TS 32.299 that Rx reuses.
_TS_29_214 = """
3GPP-SGSN-MCC-MNC                   18  UTF8String        M
3GPP-User-Location-Info             22  OctetString       M
3GPP-MS-TimeZone                    23  OctetString       M
Abort-Cause                        500  Enumerated        M
Access-Network-Charging-Address    501  Address           M
Access-Network-Charging-Identifier 502  Grouped           M
Access-Network-Charging-Identifier-Value 503 OctetString  M
AF-Application-Identifier          504  OctetString       M
AF-Charging-Identifier             505  OctetString       M
Flow-Description                   507  IPFilterRule      M
Flow-Number                        509  Unsigned32        M
Flows                              510  Grouped           M
Flow-Status                        511  Enumerated        M
Flow-Usage                         512  Enumerated        M
Specific-Action                    513  Enumerated        M
Media-Component-Description        517  Grouped           M
Media-Component-Number             518  Unsigned32        M
Media-Sub-Component                519  Grouped           M
Media-Type                         520  Enumerated        M
RR-Bandwidth                       521  Unsigned32        M
RS-Bandwidth                       522  Unsigned32        M
SIP-Forking-Indication             523  Enumerated        M
Codec-Data                         524  OctetString       M
Service-URN                        525  OctetString       M
Acceptable-Service-Info            526  Grouped           M
Service-Info-Status                527  Enumerated        M
MPS-Identifier                     528  OctetString       M
AF-Signalling-Protocol             529  Enumerated
Rx-Request-Type                    533  Enumerated
Min-Requested-Bandwidth-DL         534  Unsigned32
Min-Requested-Bandwidth-UL         535  Unsigned32
Required-Access-Info               536  Enumerated
IP-Domain-Id                       537  OctetString
GCS-Identifier                     538  OctetString
IP-CAN-Type                       1027  Enumerated        M
AN-GW-Address                     1050  Address
RAN-NAS-Release-Cause             2819  OctetString
NetLoc-Access-Support             2824  Unsigned32
"""

_TS_29_229 = """
Public-Identity                    601  UTF8String        M
Server-Name                        602  UTF8String        M
Server-Capabilities                603  Grouped           M
Mandatory-Capability               604  Unsigned32        M
Optional-Capability                605  Unsigned32        M
Cx-User-Data                       606  OctetString       M
3GPP-SIP-Number-Auth-Items         607  Unsigned32        M
3GPP-SIP-Authentication-Scheme     608  UTF8String        M
3GPP-SIP-Authenticate              609  OctetString       M
3GPP-SIP-Authorization             610  OctetString       M
SIP-Authentication-Context         611  OctetString       M
3GPP-SIP-Auth-Data-Item            612  Grouped           M
3GPP-SIP-Item-Number               613  Unsigned32        M
Server-Assignment-Type             614  Enumerated        M
Deregistration-Reason              615  Grouped           M
Reason-Code                        616  Enumerated        M
Reason-Info                        617  UTF8String        M
Charging-Information               618  Grouped           M
Primary-Event-Charging-Function-Name       619  DiameterURI  M
Secondary-Event-Charging-Function-Name     620  DiameterURI  M
Primary-Charging-Collection-Function-Name  621  DiameterURI  M
Secondary-Charging-Collection-Function-Name 622 DiameterURI  M
User-Authorization-Type            623  Enumerated        M
User-Data-Already-Available        624  Enumerated        M
Confidentiality-Key                625  OctetString       M
Integrity-Key                      626  OctetString       M
Associated-Identities              632  Grouped
Originating-Request                633  Enumerated        M
SIP-Digest-Authenticate            635  Grouped
Wildcarded-IMPU                    636  UTF8String
UAR-Flags                          637  Unsigned32
Loose-Route-Indication             638  Enumerated
SCSCF-Restoration-Info             639  Grouped
Path                               640  OctetString
Contact                            641  OctetString
Subscription-Info                  642  Grouped
Call-ID-SIP-Header                 643  OctetString
From-SIP-Header                    644  OctetString
To-SIP-Header                      645  OctetString
Record-Route                       646  OctetString
Associated-Registered-Identities   647  Grouped
Multiple-Registration-Indication   648  Enumerated
Restoration-Info                   649  Grouped
Session-Priority                   650  Enumerated
Identity-with-Emergency-Registration 651 Grouped
Priviledged-Sender-Indication      652  Enumerated
LIA-Flags                          653  Unsigned32
Initial-CSeq-Sequence-Number       654  Unsigned32
SAR-Flags                          655  Unsigned32
"""

# TS 29.338, table 6.3.3.1-1, and what SGd reuses of TS 29.336.
_TS_29_338 = """
SC-Address                        3300  OctetString(Tbcd) M
SM-RP-UI                          3301  OctetString       M
TFR-Flags                         3302  Unsigned32
SM-Delivery-Failure-Cause         3303  Grouped
SM-Enumerated-Delivery-Failure-Cause 3304 Enumerated      M
SM-Diagnostic-Info                3305  OctetString       M
SM-Delivery-Timer                 3306  Unsigned32        M
SM-Delivery-Start-Time            3307  Time              M
Absent-User-Diagnostic-SM         3322  Unsigned32
Maximum-Retransmission-Time       3330  Time
Requested-Retransmission-Time     3331  Time
SMS-GMSC-Address                  3332  OctetString(Tbcd)
SMS-GMSC-Alert-Event              3333  Unsigned32
User-Identifier                   3102  Grouped           M
External-Identifier               3111  UTF8String        M
LMSI                              2400  OctetString       M
"""


def _rows(text: str, vendor: int) -> dict[str, AvpType]:
    found = {}
    for line in text.strip().splitlines():
        name, code, kind, *mandatory = line.split()
        found[name] = AvpType(name, int(code), kind, bool(mandatory), vendor)
    return found


AVPS: dict[str, AvpType] = (
    _rows(_RFC_6733, 0) | _rows(_RFC_REUSED, 0) | _rows(_TS_29_272, TGPP) | _rows(_TS_29_214, TGPP)
    | _rows(_TS_29_229, TGPP)
    | _rows(_TS_29_338, TGPP)
)  # fmt: skip
