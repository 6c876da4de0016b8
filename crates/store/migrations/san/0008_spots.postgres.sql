-- The R*Tree of SQLite alone needs it.
select 1;
