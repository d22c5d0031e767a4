-- Everything Kagari's reference app keeps. Applied by `make dev` when it starts, by `make schema` (to the
-- Worker's local database) and by `make schema-production`; the last two run
--   npx wrangler d1 execute DB --local --file=schema.sql      (or --remote, for the deployed database)
-- Each statement may run again without harm.
--
-- Times are Unix milliseconds. Nothing here cascades onto `user`: SQLite rebuilds a table to change
-- it, and a cascade would empty these with it. An account is deleted in one batch instead.
-- WITHOUT ROWID keeps a row in the tree of its text key, and not in one of its own beside that: a
-- session costs D1 three written rows, not four, and finding it among millions half the steps.

-- Who has an account. `id` is 15 characters, drawn at sign-up.
CREATE TABLE IF NOT EXISTS user (
    id VARCHAR(15) NOT NULL PRIMARY KEY,
    username VARCHAR(64) NOT NULL DEFAULT '',     -- as its owner writes it
    role VARCHAR(15) NOT NULL DEFAULT 'user',     -- 'user' or 'admin'
    created_at BIGINT NOT NULL DEFAULT 0,
    email VARCHAR(254),                           -- in its one form, or NULL; anybody may claim any
    email_verified_at BIGINT                      -- when a code that was mailed there came back
) WITHOUT ROWID;
-- A verified address belongs to one account. docs/security.md says how to migrate an older database.
CREATE UNIQUE INDEX IF NOT EXISTS user_by_email ON user(email) WHERE email_verified_at IS NOT NULL;

-- How a user signs in: `id` is provider:provider_user_id, as in username:alice.
-- `hashed_password` is a PHC string (Argon2id), or NULL for a way in without a password.
CREATE TABLE IF NOT EXISTS user_key (
    id VARCHAR(255) NOT NULL PRIMARY KEY,
    user_id VARCHAR(15) NOT NULL,
    hashed_password VARCHAR(255),
    FOREIGN KEY (user_id) REFERENCES user(id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS user_key_by_user ON user_key(user_id);

-- One signed-in browser. `id` is the SHA-256 of its token, in hex: a leak of this table signs nobody in.
CREATE TABLE IF NOT EXISTS user_session (
    id VARCHAR(127) NOT NULL PRIMARY KEY,
    user_id VARCHAR(15) NOT NULL,
    active_expires BIGINT NOT NULL,               -- until then: valid, and nothing is written
    idle_expires BIGINT NOT NULL,                 -- until then: renewed by the next request
    created_at BIGINT NOT NULL DEFAULT 0,         -- signed in, or changed the password
    authenticated_at BIGINT NOT NULL DEFAULT 0,   -- the password was last asked for
    user_agent VARCHAR(255),                      -- as told when it got its token: never trusted
    country VARCHAR(2),                           -- ISO 3166, as told then: never trusted
    last_seen_at BIGINT NOT NULL DEFAULT 0,       -- a request came with it, to the hour; 0: not known
    FOREIGN KEY (user_id) REFERENCES user(id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS user_session_by_user ON user_session(user_id);
CREATE INDEX IF NOT EXISTS user_session_by_idle_expires ON user_session(idle_expires);

-- How often somebody tried to sign in to an account. `account` is the SHA-256 of its key id.
CREATE TABLE IF NOT EXISTS sign_in_attempt (
    account TEXT NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL,                    -- in the window that ends at resets_at
    resets_at INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0           -- in the windows before, without a success since
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sign_in_attempt_by_reset ON sign_in_attempt(resets_at);

-- Browsers that signed in to an account before: each has a count of attempts of its own, so that its
-- owner gets in while others hammer the account. `id` is the SHA-256 of the device cookie, in hex.
CREATE TABLE IF NOT EXISTS known_device (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    attempts INTEGER NOT NULL,                    -- in the window that ends at resets_at
    resets_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,                  -- a year after the last sign-in
    failures INTEGER NOT NULL DEFAULT 0           -- in the windows before, without a success since
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS known_device_by_user ON known_device(user_id);
CREATE INDEX IF NOT EXISTS known_device_by_expires_at ON known_device(expires_at);

-- The code that was mailed to an address, to verify it: one for each user. `code` is its HMAC-SHA256.
CREATE TABLE IF NOT EXISTS email_code (
    user_id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    code TEXT NOT NULL,
    tries INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,                  -- five minutes after it was sent
    sent INTEGER NOT NULL,                        -- in the window that ends at resets_at
    resets_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS email_code_by_expires_at ON email_code(expires_at);

-- How many codes were mailed to an address, whoever asked for them.
CREATE TABLE IF NOT EXISTS email_count (
    email TEXT NOT NULL PRIMARY KEY,
    sent INTEGER NOT NULL,                        -- in the window that ends at resets_at
    resets_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS email_count_by_resets_at ON email_count(resets_at);

-- Links that were mailed to who lost a password. `id` is the SHA-256 of the token in the link, and
-- `replaces` that of the stored hash: the link is good only for the password it was sent for.
CREATE TABLE IF NOT EXISTS password_reset (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    email TEXT NOT NULL,
    key_id TEXT NOT NULL,
    replaces TEXT NOT NULL,
    expires_at INTEGER NOT NULL                   -- two hours after it was sent
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS password_reset_by_user ON password_reset(user_id);
CREATE INDEX IF NOT EXISTS password_reset_by_expires_at ON password_reset(expires_at);

-- The example resource.
CREATE TABLE IF NOT EXISTS note (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user(id),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS note_by_user ON note(user_id, id);
