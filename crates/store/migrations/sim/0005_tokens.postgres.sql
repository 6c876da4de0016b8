-- Few tokens come from a grant of a user: only those are in the index.
DROP INDEX tokens_family;
CREATE INDEX tokens_family ON tokens (family) WHERE family IS NOT NULL;
