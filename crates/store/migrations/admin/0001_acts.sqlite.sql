-- Acts of operators that have begun: what a crash leaves here is found and recorded.
CREATE TABLE acts (
  id TEXT PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  trace TEXT NOT NULL
);
CREATE INDEX acts_at ON acts (at_ms);
