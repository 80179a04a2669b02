-- SPDX-License-Identifier: Apache-2.0
-- Version 2: who serves a subscriber; restrictions and Context-Identifiers; TUAK; the past of profiles.

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

-- Access-Restriction-Data (TS 29.272, 7.3.31), and whether a visited network may serve the subscriber.
ALTER TABLE profile ADD COLUMN access_restriction INTEGER NOT NULL DEFAULT 0 CHECK (access_restriction >= 0);
ALTER TABLE profile ADD COLUMN roaming INTEGER NOT NULL DEFAULT 1 CHECK (roaming IN (0, 1));

-- Context-Identifier (TS 29.272, 7.3.27): stays with its APN, whatever happens to the others.
ALTER TABLE apn ADD COLUMN context INTEGER NOT NULL DEFAULT 0;
UPDATE apn SET context = position + 1;
CREATE UNIQUE INDEX apn_context ON apn (profile, context);

-- What profiles were before they were changed, as JSON, for `profile undo`.
CREATE TABLE past_profile (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  was TEXT NOT NULL
) STRICT;

-- K has 16 octets, with TUAK 16 or 32; OPc 16, TOPc 32 (TS 35.231, 5.1). RES in octets, 4 to 16.
DROP VIEW listing;
CREATE TABLE subscriber2 (
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
INSERT INTO subscriber2 (imsi, k, opc, amf, isim_k, isim_opc, profile, tags, created, changed)
  SELECT imsi, k, opc, amf, isim_k, isim_opc, profile, tags, created, changed FROM subscriber;
DROP TABLE subscriber;
ALTER TABLE subscriber2 RENAME TO subscriber;

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
         s.algorithm,
         s.isim_k IS NOT NULL AS own_isim,
         datetime(s.created, 'unixepoch') AS created,
         datetime(s.changed, 'unixepoch') AS changed
    FROM subscriber s;
