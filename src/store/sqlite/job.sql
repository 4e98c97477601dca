-- Jobs, in herald.db and in every segment. A row of the tail is newer than one of herald.db: a
-- commit writes it beside what the job made, in one transaction. When a tail is full, all rows go
-- to herald.db together with the change of the tail. Rows of older segments mean nothing.
CREATE TABLE IF NOT EXISTS job (
    id   BLOB PRIMARY KEY,
    body TEXT NOT NULL  -- JSON, core/stored_job.cc; empty: forgotten
) STRICT;
