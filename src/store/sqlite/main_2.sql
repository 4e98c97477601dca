-- From version 1 to 2: webhooks get groups of options.
ALTER TABLE webhook ADD COLUMN options TEXT NOT NULL DEFAULT '';

PRAGMA user_version = 2;
