-- herald.db: what people configure, and the list of segments (docs/internals/store.md).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

-- What delivery ids are salted with, from this delivery on. Every start begins a new one, so that a
-- copy of the store and its original give different ids.
CREATE TABLE era (
    first_delivery INTEGER PRIMARY KEY,
    secret         BLOB NOT NULL
) STRICT;

CREATE TABLE segment (
    number         INTEGER PRIMARY KEY,
    state          INTEGER NOT NULL,  -- SegmentState
    first_event    INTEGER NOT NULL,
    last_event     INTEGER NOT NULL,  -- from here on of sealed ones only; first - 1: none
    first_delivery INTEGER NOT NULL,
    last_delivery  INTEGER NOT NULL,
    redeliveries   INTEGER NOT NULL,
    begun_at       INTEGER NOT NULL,
    ended_at       INTEGER NOT NULL,  -- of the last commit
    pruned         INTEGER NOT NULL   -- every finished delivery was removed
) STRICT;

CREATE TABLE webhook (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid                  BLOB    NOT NULL UNIQUE,
    name                  TEXT    NOT NULL,
    kind                  TEXT    NOT NULL,
    event_types           BLOB    NOT NULL,  -- packed
    branch_scope          TEXT    NOT NULL,
    node_kind             TEXT    NOT NULL,
    active                INTEGER NOT NULL,
    description           TEXT    NOT NULL,
    url                   TEXT    NOT NULL,
    validate_certificates INTEGER NOT NULL,
    shared_key            TEXT    NOT NULL,
    headers               BLOB    NOT NULL,  -- packed
    timeout_ms            INTEGER NOT NULL,
    retry_delays          BLOB    NOT NULL,  -- packed, microseconds in text
    retry_jitter          REAL    NOT NULL,
    signature_profile     TEXT    NOT NULL,
    accepted_profile      TEXT,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    version               INTEGER NOT NULL,
    removed               INTEGER NOT NULL,
    options               TEXT    NOT NULL DEFAULT ''  -- JSON, core/webhook_options.h
) STRICT;
CREATE UNIQUE INDEX webhook_name ON webhook (name) WHERE removed = 0;

CREATE TABLE source_cursor (
    source TEXT PRIMARY KEY,
    cursor TEXT NOT NULL
) STRICT;

CREATE TABLE remembered (
    key            TEXT PRIMARY KEY,
    request_digest TEXT    NOT NULL,
    status         INTEGER NOT NULL,
    body           TEXT    NOT NULL,
    location       TEXT    NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX remembered_age ON remembered (created_at);

-- main_3.sql adds the rest.
PRAGMA user_version = 2;
