-- SPDX-License-Identifier: Apache-2.0
-- Call detail records. Times in Unix seconds; `answered` is 0 where nobody answered.
CREATE TABLE call_record (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  began REAL NOT NULL,
  answered REAL NOT NULL,
  ended REAL NOT NULL,
  caller TEXT NOT NULL,
  called TEXT NOT NULL,
  dialled TEXT NOT NULL,
  status INTEGER NOT NULL,
  reason TEXT NOT NULL,
  call_id TEXT NOT NULL
) STRICT;
