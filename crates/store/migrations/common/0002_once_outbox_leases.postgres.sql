-- Once-only rows, outbox, revocation log, leases of verifiers.
CREATE TABLE once (
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_s BIGINT NOT NULL,
  PRIMARY KEY (kind, value)
);
CREATE INDEX once_expires ON once (expires_s);

CREATE TABLE outbox (
  id TEXT COLLATE "C" PRIMARY KEY,
  kind TEXT NOT NULL,
  client TEXT NOT NULL,
  target TEXT NOT NULL,
  body TEXT NOT NULL,
  trace TEXT,
  queued_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  dead BIGINT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  node TEXT,
  error TEXT
);
CREATE INDEX outbox_due ON outbox (dead, due_ms, id);

CREATE TABLE revocation_head (id BIGINT PRIMARY KEY CHECK (id = 1), epoch BIGINT NOT NULL);
INSERT INTO revocation_head (id, epoch) VALUES (1, 0);
CREATE TABLE revocations (
  epoch BIGINT PRIMARY KEY,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  issuer TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE INDEX revocations_value ON revocations (kind, value);

CREATE TABLE leases (
  issuer TEXT NOT NULL,
  verifier TEXT NOT NULL,
  node TEXT NOT NULL,
  confirmed BIGINT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  PRIMARY KEY (issuer, verifier, node)
);
