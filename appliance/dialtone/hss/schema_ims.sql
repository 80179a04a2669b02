-- SPDX-License-Identifier: Apache-2.0
-- What Cx needs. Filter criteria of a profile: sms, none, or an IMSSubscription document whose criteria they are; and
-- whether a phone must use IPsec on Gm.
ALTER TABLE profile ADD COLUMN ifc TEXT NOT NULL DEFAULT 'sms';
ALTER TABLE subscriber ADD COLUMN ipsec INTEGER NOT NULL DEFAULT 1 CHECK (ipsec IN (0, 1));

-- The S-CSCF of a subscriber, by its SIP URI and its Diameter identity, and the state that all public identities of the
-- implicit registration set share (TS 29.228, 3.1 and 6.1.2.1). `pending`: an authentication is under way.
CREATE TABLE ims_registration (
  imsi TEXT NOT NULL PRIMARY KEY REFERENCES subscriber (imsi) ON DELETE CASCADE,
  scscf TEXT NOT NULL,
  host TEXT NOT NULL,
  realm TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('not registered', 'registered', 'unregistered')),
  pending INTEGER NOT NULL CHECK (pending IN (0, 1)),
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
