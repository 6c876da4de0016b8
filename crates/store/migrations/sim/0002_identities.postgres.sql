-- What names one person only (GPSI, External ID, IMPU, SUPI) is held like a name; a space keeps it apart from names.
-- VAL UEs are looked up, as none may be called like somebody else.
CREATE TABLE user_ues (
  val_ue_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (val_ue_id, user_id)
);
CREATE INDEX user_ues_user ON user_ues (user_id);
INSERT INTO user_ues (val_ue_id, user_id)
SELECT ue, u.user_id FROM users u, json_array_elements_text(CAST(u.profile AS json) -> 'val_ue_ids') ue
ON CONFLICT DO NOTHING;
INSERT INTO principals (name, kind, owner)
SELECT 'gpsi ' || (CAST(profile AS json) ->> 'gpsi'), 'user', user_id FROM users
WHERE CAST(profile AS json) ->> 'gpsi' IS NOT NULL ORDER BY user_id ON CONFLICT DO NOTHING;
INSERT INTO principals (name, kind, owner)
SELECT 'external_id ' || (CAST(profile AS json) ->> 'external_id'), 'user', user_id FROM users
WHERE CAST(profile AS json) ->> 'external_id' IS NOT NULL ORDER BY user_id ON CONFLICT DO NOTHING;
INSERT INTO principals (name, kind, owner)
SELECT 'impu ' || (CAST(profile AS json) ->> 'impu'), 'user', user_id FROM users
WHERE CAST(profile AS json) ->> 'impu' IS NOT NULL ORDER BY user_id ON CONFLICT DO NOTHING;
INSERT INTO principals (name, kind, owner)
SELECT 'supi ' || (CAST(profile AS json) ->> 'supi'), 'user', user_id FROM users
WHERE CAST(profile AS json) ->> 'supi' IS NOT NULL ORDER BY user_id ON CONFLICT DO NOTHING;
