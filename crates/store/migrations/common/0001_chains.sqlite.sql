-- Chains and counters: audit, charging, traces; key and value.
CREATE TABLE audit_head (id BIGINT PRIMARY KEY CHECK (id = 1), seq BIGINT NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_head (id, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE audit (
  seq BIGINT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  function TEXT NOT NULL,
  actor TEXT NOT NULL,
  owner TEXT,
  action TEXT NOT NULL,
  object TEXT,
  verdict TEXT NOT NULL,
  reason TEXT,
  cause TEXT,
  status BIGINT,
  policy_version BIGINT,
  consent_version BIGINT,
  trace TEXT,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_trace ON audit (trace, seq);
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_object ON audit (object, seq);

CREATE TABLE charging_head (id BIGINT PRIMARY KEY CHECK (id = 1), seq BIGINT NOT NULL);
INSERT INTO charging_head (id, seq) VALUES (1, 0);
CREATE TABLE charging (
  seq BIGINT PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  at_ms BIGINT NOT NULL,
  function TEXT NOT NULL,
  consumer TEXT NOT NULL,
  client TEXT NOT NULL,
  owner TEXT,
  service TEXT,
  operation TEXT NOT NULL,
  resource TEXT,
  units BIGINT NOT NULL,
  bytes BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  trace TEXT
);
CREATE INDEX charging_consumer ON charging (consumer, seq);

CREATE TABLE traces (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  trace TEXT NOT NULL,
  link TEXT,
  at_ms BIGINT NOT NULL,
  steps TEXT NOT NULL
);
CREATE INDEX traces_trace ON traces (trace, seq);
CREATE INDEX traces_link ON traces (link, seq);

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
