-- Reports that were made and are held back: of a subscription that is muted, or that gathers them for a while.
create table held_report (
  seq bigserial primary key,
  sub_id text not null references subscription (sub_id) on delete cascade,
  body text not null,
  made_s bigint not null
);
create index held_report_subscription on held_report (sub_id, seq);
