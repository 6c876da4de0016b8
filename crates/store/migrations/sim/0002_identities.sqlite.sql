-- What names one person only (GPSI, External ID, IMPU, SUPI) is held like a name; a space keeps it apart from names.
-- VAL UEs are looked up, as none may be called like somebody else.
CREATE TABLE user_ues (
  val_ue_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (val_ue_id, user_id)
);
CREATE INDEX user_ues_user ON user_ues (user_id);
INSERT OR IGNORE INTO user_ues (val_ue_id, user_id)
SELECT ue.value, u.user_id FROM users u, json_each(u.profile, '$.val_ue_ids') ue;
INSERT OR IGNORE INTO principals (name, kind, owner)
SELECT 'gpsi ' || json_extract(profile, '$.gpsi'), 'user', user_id FROM users
WHERE json_extract(profile, '$.gpsi') IS NOT NULL ORDER BY user_id;
INSERT OR IGNORE INTO principals (name, kind, owner)
SELECT 'external_id ' || json_extract(profile, '$.external_id'), 'user', user_id FROM users
WHERE json_extract(profile, '$.external_id') IS NOT NULL ORDER BY user_id;
INSERT OR IGNORE INTO principals (name, kind, owner)
SELECT 'impu ' || json_extract(profile, '$.impu'), 'user', user_id FROM users
WHERE json_extract(profile, '$.impu') IS NOT NULL ORDER BY user_id;
INSERT OR IGNORE INTO principals (name, kind, owner)
SELECT 'supi ' || json_extract(profile, '$.supi'), 'user', user_id FROM users
WHERE json_extract(profile, '$.supi') IS NOT NULL ORDER BY user_id;
