-- Versioned documents: operator policies and services. One counter per kind: a version is never used twice.
CREATE TABLE document_versions (kind TEXT PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE documents (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  version BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
);
