-- Imports in bulk: how far each is, so that one that was cut off goes on and nothing is kept twice.
create table anchor_import (
  import_id text primary key,
  next_line integer not null,
  imported integer not null,
  renumbered integer not null,
  skipped integer not null,
  keeps_ids integer not null,
  done integer not null,
  terms text not null,
  changed_s integer not null
) strict;

-- Which list here is which list of the file, and what it holds so far; gone when the import is done.
create table anchor_import_list (
  import_id text not null references anchor_import (import_id) on delete cascade,
  list_key text not null,
  list_id text not null,
  anchors integer not null,
  octets integer not null,
  rule_entries integer not null,
  primary key (import_id, list_key)
) strict, without rowid;
