-- What VAL servers say about who takes part in their VAL services.
CREATE TABLE val_configs (
  conf_id TEXT PRIMARY KEY,
  val_server TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX val_configs_server ON val_configs (val_server, conf_id);
CREATE TABLE val_members (
  conf_id TEXT NOT NULL,
  val_service TEXT NOT NULL,
  kind TEXT NOT NULL,
  member TEXT NOT NULL,
  PRIMARY KEY (kind, member, val_service, conf_id)
);
CREATE INDEX val_members_conf ON val_members (conf_id);
