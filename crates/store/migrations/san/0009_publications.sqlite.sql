-- What the CAPIF core function must be told (TR 33.721 6.3.2.1 step 4): a mark for each list, with the version that it has
-- here and the one that was acknowledged there. Written in the transaction of the change.
create table publication (
  object_id text primary key,
  version integer not null,
  told integer not null,
  due_ms integer not null,
  attempts integer not null
) strict, without rowid;
create index publication_due on publication (due_ms, object_id) where told < version;

-- Resources that are gone here and perhaps not yet there.
create table publication_gone (
  resource_id text primary key,
  due_ms integer not null,
  attempts integer not null
) strict, without rowid;
create index publication_gone_due on publication_gone (due_ms, resource_id);

-- 0: made without a token of the core function; 1: not yet acknowledged there, and so the owner's alone; 2: acknowledged.
alter table anchor add column sync integer not null default 0;
create index anchor_pending on anchor (list_id) where sync = 1;
