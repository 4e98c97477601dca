-- From version 3 to 4, for new stores too: how long receivers have asked to be left alone.
ALTER TABLE webhook_health ADD COLUMN held_until INTEGER;

PRAGMA user_version = 4;
