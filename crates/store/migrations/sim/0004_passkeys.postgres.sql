-- Passkeys of users (W3C Web Authentication).
CREATE TABLE passkeys (
  credential_id BYTEA PRIMARY KEY,
  user_id TEXT NOT NULL,
  user_handle BYTEA NOT NULL,
  public_key BYTEA NOT NULL,
  sign_count BIGINT NOT NULL,
  label TEXT NOT NULL,
  created_s BIGINT NOT NULL,
  used_s BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id, created_s);
