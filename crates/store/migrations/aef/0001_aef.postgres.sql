-- What an API exposing function of CAPIF keeps: invocations that count, logs on their way to the core function, and what
-- was withdrawn by a core function that has no feed of revocations.
create table aef_count (
  invoker_id text not null,
  api_name text not null,
  total bigint not null,
  primary key (invoker_id, api_name)
);
create table aef_log (
  id text primary key,
  body text not null,
  due_ms bigint not null,
  attempts bigint not null
);
create index aef_log_due on aef_log (due_ms, id);
create table aef_withdrawn (
  invoker_id text not null,
  api_name text not null,
  until_s bigint not null,
  forget_s bigint not null,
  primary key (invoker_id, api_name)
);
