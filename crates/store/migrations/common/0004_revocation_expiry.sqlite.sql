-- A revocation that no token is left for may go. Up to the floor there may be gaps in the epochs.
ALTER TABLE revocations ADD COLUMN expires_s BIGINT;
CREATE INDEX revocations_expires ON revocations (expires_s);
ALTER TABLE revocation_head ADD COLUMN floor BIGINT NOT NULL DEFAULT 0;
