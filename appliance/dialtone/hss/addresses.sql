-- SPDX-License-Identifier: Apache-2.0
-- A subscriber may own an IPv4 address and an IPv6 prefix at an APN.
CREATE TABLE fixed_address (
  imsi TEXT NOT NULL REFERENCES subscriber (imsi) ON DELETE CASCADE,
  apn TEXT NOT NULL COLLATE NOCASE,
  version INTEGER NOT NULL CHECK (version IN (4, 6)),
  address TEXT NOT NULL,
  PRIMARY KEY (imsi, apn, version),
  UNIQUE (apn, address)
) STRICT, WITHOUT ROWID;
INSERT INTO fixed_address SELECT imsi, apn, 4, ipv4 FROM address;
DROP TABLE address;
