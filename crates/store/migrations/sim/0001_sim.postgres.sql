-- SIM-S: accounts, clients, grants, sessions and keys. Tokens, codes and secrets are kept as SHA-256 only.
CREATE TABLE principals (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  owner TEXT NOT NULL
);
CREATE INDEX principals_owner ON principals (kind, owner);
CREATE TABLE users (
  user_id TEXT PRIMARY KEY,
  val_user_id TEXT NOT NULL UNIQUE,
  profile TEXT NOT NULL,
  password TEXT,
  version BIGINT NOT NULL,
  changed_s BIGINT NOT NULL
);
CREATE TABLE clients (
  client_id TEXT PRIMARY KEY,
  registration TEXT NOT NULL,
  secret_sha256 BYTEA,
  version BIGINT NOT NULL,
  changed_s BIGINT NOT NULL
);
CREATE TABLE interactions (
  id_hash BYTEA PRIMARY KEY,
  request TEXT NOT NULL,
  browser BYTEA,
  attempts BIGINT NOT NULL,
  expires_s BIGINT NOT NULL
);
CREATE INDEX interactions_browser ON interactions (browser);
CREATE INDEX interactions_expiry ON interactions (expires_s);
CREATE TABLE pushed_requests (
  urn_hash BYTEA PRIMARY KEY,
  client_id TEXT NOT NULL,
  request TEXT NOT NULL,
  expires_s BIGINT NOT NULL
);
CREATE INDEX pushed_requests_expiry ON pushed_requests (expires_s);
CREATE TABLE families (
  family TEXT PRIMARY KEY,
  client_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  permission TEXT NOT NULL,
  ends_s BIGINT NOT NULL,
  idle_ends_s BIGINT NOT NULL,
  revoked_s BIGINT
);
CREATE INDEX families_client ON families (client_id);
CREATE INDEX families_subject ON families (subject);
CREATE INDEX families_expiry ON families (ends_s);
CREATE TABLE codes (
  code_hash BYTEA PRIMARY KEY,
  family TEXT NOT NULL,
  client_id TEXT NOT NULL,
  binding TEXT NOT NULL,
  expires_s BIGINT NOT NULL,
  used_s BIGINT
);
CREATE INDEX codes_expiry ON codes (expires_s);
CREATE TABLE refresh_tokens (
  token_hash BYTEA PRIMARY KEY,
  family TEXT NOT NULL,
  rotated_s BIGINT,
  salt BYTEA
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE TABLE tokens (
  jti TEXT PRIMARY KEY,
  family TEXT,
  client_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  scope TEXT NOT NULL,
  expires_s BIGINT NOT NULL
);
CREATE INDEX tokens_family ON tokens (family);
CREATE INDEX tokens_expiry ON tokens (expires_s);
CREATE TABLE sessions (
  id_hash BYTEA PRIMARY KEY,
  user_id TEXT NOT NULL,
  detail TEXT NOT NULL,
  expires_s BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_s);
CREATE TABLE signing_keys (
  kid TEXT PRIMARY KEY,
  alg TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  created_s BIGINT NOT NULL,
  active_from_s BIGINT NOT NULL,
  retires_s BIGINT,
  revoked_s BIGINT
);
CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  sealed BYTEA NOT NULL
);
