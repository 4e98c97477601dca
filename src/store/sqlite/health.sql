-- herald.db: how webhooks do (core/health.h). Made when it is missing.
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
