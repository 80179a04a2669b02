# SPDX-License-Identifier: Apache-2.0
"""The state machines of a peer: its connections (RFC 6733, 5.6) and their health (RFC 3539, 3.4).

I- is the connection that we opened, R- the one that the peer opened. Events have the names of the RFCs; what a row
does is in the file of its procedure.
"""

from enum import StrEnum

from dialtone.fsm import Table


class State(StrEnum):
    """States of RFC 6733, 5.6."""

    CLOSED = "Closed"
    WAIT_CONN_ACK = "Wait-Conn-Ack"
    WAIT_I_CEA = "Wait-I-CEA"
    WAIT_CONN_ACK_ELECT = "Wait-Conn-Ack/Elect"
    WAIT_RETURNS = "Wait-Returns"
    R_OPEN = "R-Open"
    I_OPEN = "I-Open"
    CLOSING = "Closing"


PEER = Table("Diameter peer", "RFC 6733, 5.6", State.CLOSED, (
    (State.CLOSED, "Start", State.WAIT_CONN_ACK),
    (State.CLOSED, "R-Conn-CER", State.R_OPEN),
    (State.WAIT_CONN_ACK, "I-Rcv-Conn-Ack", State.WAIT_I_CEA),
    (State.WAIT_CONN_ACK, "I-Rcv-Conn-Nack", State.CLOSED),
    (State.WAIT_CONN_ACK, "R-Conn-CER", State.WAIT_CONN_ACK_ELECT),
    (State.WAIT_CONN_ACK, "Timeout", State.CLOSED),
    (State.WAIT_I_CEA, "I-Rcv-CEA", State.I_OPEN),
    (State.WAIT_I_CEA, "R-Conn-CER", State.WAIT_RETURNS),
    (State.WAIT_I_CEA, "I-Peer-Disc", State.CLOSED),
    (State.WAIT_I_CEA, "I-Rcv-Non-CEA", State.CLOSED),
    (State.WAIT_I_CEA, "Timeout", State.CLOSED),
    (State.WAIT_CONN_ACK_ELECT, "I-Rcv-Conn-Ack", State.WAIT_RETURNS),
    (State.WAIT_CONN_ACK_ELECT, "I-Rcv-Conn-Nack", State.R_OPEN),
    (State.WAIT_CONN_ACK_ELECT, "R-Peer-Disc", State.WAIT_CONN_ACK),
    (State.WAIT_CONN_ACK_ELECT, "Timeout", State.CLOSED),
    (State.WAIT_RETURNS, "Win-Election", State.R_OPEN),
    (State.WAIT_RETURNS, "I-Peer-Disc", State.R_OPEN),
    (State.WAIT_RETURNS, "I-Rcv-CEA", State.I_OPEN),
    (State.WAIT_RETURNS, "R-Peer-Disc", State.WAIT_I_CEA),
    (State.WAIT_RETURNS, "Timeout", State.CLOSED),
    (State.R_OPEN, "Stop", State.CLOSING),
    (State.R_OPEN, "R-Rcv-DPR", State.CLOSING),
    (State.R_OPEN, "R-Peer-Disc", State.CLOSED),
    (State.I_OPEN, "Stop", State.CLOSING),
    (State.I_OPEN, "I-Rcv-DPR", State.CLOSING),
    (State.I_OPEN, "I-Peer-Disc", State.CLOSED),
    (State.CLOSING, "I-Rcv-DPA", State.CLOSED),
    (State.CLOSING, "R-Rcv-DPA", State.CLOSED),
    (State.CLOSING, "Timeout", State.CLOSED),
    (State.CLOSING, "I-Peer-Disc", State.CLOSED),
    (State.CLOSING, "R-Peer-Disc", State.CLOSED),
))

OPEN = (State.R_OPEN, State.I_OPEN)


class Health(StrEnum):
    """States of RFC 3539, 3.4."""

    INITIAL = "INITIAL"
    OKAY = "OKAY"
    SUSPECT = "SUSPECT"
    DOWN = "DOWN"
    REOPEN = "REOPEN"


WATCHDOG = Table("Diameter watchdog", "RFC 3539, 3.4.1", Health.INITIAL, (
    (Health.INITIAL, "Connection up", Health.OKAY),
    (Health.OKAY, "Receive DWA", Health.OKAY),
    (Health.OKAY, "Receive non-DWA", Health.OKAY),
    (Health.OKAY, "Timer expires", Health.OKAY),
    (Health.OKAY, "Timer expires, pending", Health.SUSPECT),
    (Health.OKAY, "Connection down", Health.DOWN),
    (Health.SUSPECT, "Receive DWA", Health.OKAY),
    (Health.SUSPECT, "Receive non-DWA", Health.OKAY),
    (Health.SUSPECT, "Timer expires, pending", Health.DOWN),
    (Health.SUSPECT, "Connection down", Health.DOWN),
    (Health.DOWN, "Connection up", Health.REOPEN),
    (Health.REOPEN, "Receive DWA", Health.REOPEN),
    (Health.REOPEN, "Receive third DWA", Health.OKAY),
    (Health.REOPEN, "Receive non-DWA", Health.REOPEN),
    (Health.REOPEN, "Timer expires", Health.REOPEN),
    (Health.REOPEN, "Timer expires, pending", Health.REOPEN),
    (Health.REOPEN, "Timer expires, twice pending", Health.DOWN),
    (Health.REOPEN, "Connection down", Health.DOWN),
    (Health.OKAY, "Disconnected in good order", Health.INITIAL),
    (Health.SUSPECT, "Disconnected in good order", Health.INITIAL),
    (Health.REOPEN, "Disconnected in good order", Health.INITIAL),
))
