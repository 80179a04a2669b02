-- SPDX-License-Identifier: Apache-2.0
-- Version 4 of the store: short messages, those that wait and the latest that do not any more. Times in Unix seconds.

-- `tpdu` is what the recipient gets (TS 23.040, 9.2.2.1 and 9.2.2.3). `reference` is the TP-MR of a text whose sender
-- wants a status report.
CREATE TABLE text (
  id INTEGER PRIMARY KEY,
  recipient TEXT NOT NULL REFERENCES subscriber (imsi) ON DELETE CASCADE,
  destination TEXT NOT NULL,
  sender TEXT NOT NULL,
  sender_imsi TEXT NOT NULL DEFAULT '',
  tpdu BLOB NOT NULL,
  submitted INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  reference INTEGER,
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'expired', 'failed')),
  ended INTEGER,
  why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX text_waiting ON text (recipient) WHERE state = 'waiting';
