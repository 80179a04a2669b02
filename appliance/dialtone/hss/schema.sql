-- SPDX-License-Identifier: Apache-2.0
-- Version 1 of the store. A later version is a file of its own, named in schema.py; this one is never edited.

-- What the store was changed to last: a reader that sees the same number may keep what it has read.
CREATE TABLE generation (n INTEGER NOT NULL) STRICT;
INSERT INTO generation VALUES (1);

-- Subscription profiles, shared by any number of subscribers. AMBR in bit/s (TS 29.272, 7.3.41); Access-Restriction-Data
-- (7.3.31), and whether a visited network may serve the subscriber.
CREATE TABLE profile (
  name TEXT NOT NULL PRIMARY KEY,
  ambr_dl INTEGER NOT NULL CHECK (ambr_dl >= 0),
  ambr_ul INTEGER NOT NULL CHECK (ambr_ul >= 0),
  access_restriction INTEGER NOT NULL DEFAULT 0 CHECK (access_restriction >= 0),
  roaming INTEGER NOT NULL DEFAULT 1 CHECK (roaming IN (0, 1))
) STRICT, WITHOUT ROWID;

-- What profiles were before they were changed, as JSON, for `profile undo`.
CREATE TABLE past_profile (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  was TEXT NOT NULL
) STRICT;

-- APN configurations of a profile in order; the first is the default APN (TS 29.272, 7.3.34 and 7.3.35).
-- `context`, the Context-Identifier (7.3.27), stays with its APN, whatever happens to the others.
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
  context INTEGER NOT NULL,
  PRIMARY KEY (profile, position),
  UNIQUE (profile, name),
  UNIQUE (profile, context)
) STRICT, WITHOUT ROWID;

-- K has 16 octets, with TUAK 16 or 32; OPc 16, TOPc 32 (TS 35.231, 5.1). RES in octets, 4 to 16.
CREATE TABLE subscriber (
  imsi TEXT NOT NULL PRIMARY KEY CHECK (length(imsi) BETWEEN 6 AND 15 AND imsi NOT GLOB '*[^0-9]*'),
  algorithm TEXT NOT NULL DEFAULT 'milenage' CHECK (algorithm IN ('milenage', 'tuak')),
  k BLOB NOT NULL,
  opc BLOB NOT NULL,
  res INTEGER NOT NULL DEFAULT 8 CHECK (res IN (4, 8, 16)),
  iterations INTEGER NOT NULL DEFAULT 1 CHECK (iterations BETWEEN 1 AND 255),
  amf BLOB NOT NULL CHECK (length(amf) = 2),
  isim_k BLOB,
  isim_opc BLOB,
  profile TEXT NOT NULL REFERENCES profile (name),
  tags TEXT NOT NULL DEFAULT '',
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  CHECK ((isim_k IS NULL) = (isim_opc IS NULL)),
  CHECK (CASE algorithm
    WHEN 'milenage' THEN length(k) = 16 AND length(opc) = 16 AND res = 8 AND iterations = 1
      AND coalesce(length(isim_k), 16) = 16 AND coalesce(length(isim_opc), 16) = 16
    ELSE length(k) IN (16, 32) AND length(opc) = 32
      AND coalesce(length(isim_k), 16) IN (16, 32) AND coalesce(length(isim_opc), 32) = 32
    END)
) STRICT, WITHOUT ROWID;

-- The MME that serves a subscriber (TS 29.272, 5.2.1.1). `purged`: it has forgotten the phone (5.2.1.3).
CREATE TABLE registration (
  imsi TEXT NOT NULL PRIMARY KEY REFERENCES subscriber (imsi) ON DELETE CASCADE,
  mme TEXT NOT NULL,
  realm TEXT NOT NULL,
  plmn TEXT NOT NULL,
  imei TEXT NOT NULL DEFAULT '',
  since INTEGER NOT NULL,
  purged INTEGER NOT NULL DEFAULT 0 CHECK (purged IN (0, 1))
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

INSERT INTO profile VALUES ('default', 1000000000, 1000000000, 0, 1);
INSERT INTO apn VALUES
  ('default', 0, 'internet', 'IPv4v6', 9, 8, 0, 1, 1000000000, 1000000000, 1),
  ('default', 1, 'ims', 'IPv4v6', 5, 1, 0, 0, 10000000, 10000000, 2);
