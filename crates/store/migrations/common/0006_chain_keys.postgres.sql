-- SQLite alone keeps a number of type BIGINT in an index of its own.
SELECT 1;
