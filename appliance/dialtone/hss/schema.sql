-- SPDX-License-Identifier: Apache-2.0
-- Version 1 of the store. A later version is a file of its own, named in schema.py; this one is never edited.

-- What the store was changed to last: a reader that sees the same number may keep what it has read.
CREATE TABLE generation (n INTEGER NOT NULL) STRICT;
INSERT INTO generation VALUES (1);

-- Subscription profiles, shared by any number of subscribers. AMBR in bit/s (TS 29.272, 7.3.41).
CREATE TABLE profile (
  name TEXT NOT NULL PRIMARY KEY,
  ambr_dl INTEGER NOT NULL CHECK (ambr_dl >= 0),
  ambr_ul INTEGER NOT NULL CHECK (ambr_ul >= 0)
) STRICT, WITHOUT ROWID;

-- APN configurations of a profile in order; the first is the default APN (TS 29.272, 7.3.34 and 7.3.35).
CREATE TABLE apn (
  profile TEXT NOT NULL REFERENCES profile (name) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL COLLATE NOCASE,
  pdn_type TEXT NOT NULL CHECK (pdn_type IN ('IPv4', 'IPv6', 'IPv4v6', 'IPv4_OR_IPv6')),
  qci INTEGER NOT NULL CHECK (qci BETWEEN 1 AND 254),
  arp_priority INTEGER NOT NULL CHECK (arp_priority BETWEEN 1 AND 15),
  arp_may_preempt INTEGER NOT NULL CHECK (arp_may_preempt IN (0, 1)),
  arp_preemptable INTEGER NOT NULL CHECK (arp_preemptable IN (0, 1)),
  ambr_dl INTEGER NOT NULL CHECK (ambr_dl >= 0),
  ambr_ul INTEGER NOT NULL CHECK (ambr_ul >= 0),
  PRIMARY KEY (profile, position),
  UNIQUE (profile, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriber (
  imsi TEXT NOT NULL PRIMARY KEY CHECK (length(imsi) BETWEEN 6 AND 15 AND imsi NOT GLOB '*[^0-9]*'),
  k BLOB NOT NULL CHECK (length(k) = 16),
  opc BLOB NOT NULL CHECK (length(opc) = 16),
  amf BLOB NOT NULL CHECK (length(amf) = 2),
  isim_k BLOB CHECK (length(isim_k) = 16),
  isim_opc BLOB CHECK (length(isim_opc) = 16),
  profile TEXT NOT NULL REFERENCES profile (name),
  tags TEXT NOT NULL DEFAULT '',
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  CHECK ((isim_k IS NULL) = (isim_opc IS NULL))
) STRICT, WITHOUT ROWID;

-- MSISDNs, the IMPI and the IMPUs of a subscriber in order; each value belongs to one subscriber.
CREATE TABLE identity (
  kind TEXT NOT NULL CHECK (kind IN ('msisdn', 'impi', 'impu')),
  value TEXT NOT NULL,
  imsi TEXT NOT NULL REFERENCES subscriber (imsi) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_imsi ON identity (imsi);

-- Fixed IPv4 addresses of subscribers at an APN.
CREATE TABLE address (
  imsi TEXT NOT NULL REFERENCES subscriber (imsi) ON DELETE CASCADE,
  apn TEXT NOT NULL COLLATE NOCASE,
  ipv4 TEXT NOT NULL,
  PRIMARY KEY (imsi, apn),
  UNIQUE (apn, ipv4)
) STRICT, WITHOUT ROWID;

-- No SQN above the mark was ever handed out. It outlives its subscriber, who may come back with the same card.
CREATE TABLE sqn (
  imsi TEXT NOT NULL PRIMARY KEY,
  mark INTEGER NOT NULL CHECK (mark BETWEEN 0 AND 281474976710655)
) STRICT, WITHOUT ROWID;

-- IMSIs that tried to attach and are nobody's. Times in Unix seconds.
CREATE TABLE seen (
  imsi TEXT NOT NULL PRIMARY KEY,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What people may see of a subscriber: no key in it.
CREATE VIEW listing AS
  SELECT s.imsi,
         (SELECT group_concat(value, ' ') FROM (SELECT value FROM identity
           WHERE imsi = s.imsi AND kind = 'msisdn' ORDER BY position)) AS msisdn,
         (SELECT value FROM identity WHERE imsi = s.imsi AND kind = 'impi') AS impi,
         (SELECT group_concat(value, ' ') FROM (SELECT value FROM identity
           WHERE imsi = s.imsi AND kind = 'impu' ORDER BY position)) AS impu,
         s.profile,
         (SELECT group_concat(apn || '=' || ipv4, ' ') FROM (SELECT apn, ipv4 FROM address
           WHERE imsi = s.imsi ORDER BY apn)) AS address,
         s.tags,
         s.isim_k IS NOT NULL AS own_isim,
         datetime(s.created, 'unixepoch') AS created,
         datetime(s.changed, 'unixepoch') AS changed
    FROM subscriber s;

INSERT INTO profile VALUES ('default', 1000000000, 1000000000);
INSERT INTO apn VALUES
  ('default', 0, 'internet', 'IPv4v6', 9, 8, 0, 1, 1000000000, 1000000000),
  ('default', 1, 'ims', 'IPv4v6', 5, 1, 0, 0, 10000000, 10000000);
