-- One segment of the log (docs/internals/store.md). The newest is appended to; a sealed one changes
-- only by upkeep. Times are microseconds since 1970; lists are packed (pack.h).
CREATE TABLE event (
    seq            INTEGER PRIMARY KEY,
    id             BLOB    NOT NULL,
    type           TEXT    NOT NULL,
    occurred_at    INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    source         TEXT    NOT NULL,
    branch         TEXT,
    account_id     TEXT,
    node_id        TEXT    NOT NULL,
    node_kind      TEXT    NOT NULL,
    level          INTEGER NOT NULL,
    has_children   INTEGER NOT NULL,
    parent         BLOB,
    origin         TEXT    NOT NULL,
    related        BLOB    NOT NULL,
    ancestors      BLOB    NOT NULL,
    first_delivery INTEGER NOT NULL,  -- the deliveries born with it: so many from this one on
    deliveries     INTEGER NOT NULL,
    extra          TEXT    NOT NULL,  -- last: lists are read without these two
    body           TEXT    NOT NULL
) STRICT;

CREATE TABLE delivery (
    seq          INTEGER PRIMARY KEY,
    event_seq    INTEGER NOT NULL,
    event_id     BLOB    NOT NULL,
    event_type   TEXT    NOT NULL,
    webhook      INTEGER NOT NULL,
    cause        INTEGER NOT NULL,
    redelivers   INTEGER,
    created_at   INTEGER NOT NULL,
    state        INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    last_failure INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX delivery_again ON delivery (event_seq) WHERE redelivers IS NOT NULL;

CREATE TABLE attempt (
    key              INTEGER PRIMARY KEY,  -- delivery * 256 + number
    started_at       INTEGER NOT NULL,
    took             INTEGER NOT NULL,
    url              TEXT    NOT NULL,
    profile          TEXT    NOT NULL,
    refused          BLOB    NOT NULL,
    request_headers  BLOB    NOT NULL,
    status           INTEGER NOT NULL,
    response_headers BLOB    NOT NULL,
    response_body    BLOB    NOT NULL,
    response_cut     INTEGER NOT NULL,
    failure          INTEGER NOT NULL,
    message          TEXT    NOT NULL
) STRICT;

-- What became here of deliveries that were born in an older segment, until upkeep brings it home.
CREATE TABLE late (
    delivery     INTEGER PRIMARY KEY,
    state        INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    last_failure INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 1;
