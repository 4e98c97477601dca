-- From version 2 to 3: transformations, and what they made for deliveries that are tried again.
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
