-- The number of a record is the key of its table: as BIGINT it was an index of its own beside the table. Each entry of
-- another index ends with it anyway.
CREATE TABLE audit_numbered (
  seq INTEGER PRIMARY KEY,
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
INSERT INTO audit_numbered
SELECT seq, at_ms, function, actor, owner, action, object, verdict, reason, cause, status, policy_version,
  consent_version, trace, prev, hash
FROM audit ORDER BY seq;
DROP TABLE audit;
ALTER TABLE audit_numbered RENAME TO audit;
CREATE INDEX audit_trace ON audit (trace);
CREATE INDEX audit_actor ON audit (actor);
CREATE INDEX audit_object ON audit (object);

CREATE TABLE charging_numbered (
  seq INTEGER PRIMARY KEY,
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
INSERT INTO charging_numbered
SELECT seq, id, at_ms, function, consumer, client, owner, service, operation, resource, units, bytes, outcome, trace
FROM charging ORDER BY seq;
DROP TABLE charging;
ALTER TABLE charging_numbered RENAME TO charging;
CREATE INDEX charging_consumer ON charging (consumer);
