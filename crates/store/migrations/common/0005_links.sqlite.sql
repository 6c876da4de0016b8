-- Few traces name one from outside: only those are in the index.
DROP INDEX traces_link;
CREATE INDEX traces_link ON traces (link, seq) WHERE link IS NOT NULL;
