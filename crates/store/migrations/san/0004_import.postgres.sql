-- Imports in bulk: how far each is, so that one that was cut off goes on and nothing is kept twice.
create table anchor_import (
  import_id text primary key,
  next_line bigint not null,
  imported bigint not null,
  renumbered bigint not null,
  skipped bigint not null,
  keeps_ids bigint not null,
  done bigint not null,
  terms text not null,
  changed_s bigint not null
);

-- Which list here is which list of the file, and what it holds so far; gone when the import is done.
create table anchor_import_list (
  import_id text not null references anchor_import (import_id) on delete cascade,
  list_key text not null,
  list_id text not null,
  anchors bigint not null,
  octets bigint not null,
  rule_entries bigint not null,
  primary key (import_id, list_key)
);
