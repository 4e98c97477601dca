-- From version 2 to 3, for new stores too: transformations, what they made for deliveries that are
-- tried again, and the health of webhooks, which some stores of version 2 have.
CREATE TABLE IF NOT EXISTS webhook_health (
    webhook        INTEGER PRIMARY KEY,
    state          INTEGER NOT NULL,  -- HealthState
    since          INTEGER,
    last_success   INTEGER,
    last_failure   INTEGER,
    failure_streak INTEGER NOT NULL,
    last_class     INTEGER NOT NULL,  -- FailureClass
    failing_for    INTEGER NOT NULL,  -- microseconds
    reason         TEXT    NOT NULL
) STRICT;

CREATE TABLE transformation (
    uuid       BLOB    PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    body       TEXT    NOT NULL,  -- JSON, core/transformation.h; sealed
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version    INTEGER NOT NULL
) STRICT;

CREATE TABLE made_request (
    delivery INTEGER PRIMARY KEY,
    body     TEXT NOT NULL  -- JSON, core/made_request.h; sealed
) STRICT;

PRAGMA user_version = 3;
