-- Passkeys of users (W3C Web Authentication).
CREATE TABLE passkeys (
  credential_id BLOB PRIMARY KEY,
  user_id TEXT NOT NULL,
  user_handle BLOB NOT NULL,
  public_key BLOB NOT NULL,
  sign_count BIGINT NOT NULL,
  label TEXT NOT NULL,
  created_s BIGINT NOT NULL,
  used_s BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id, created_s);
