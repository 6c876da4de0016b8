-- Reports that were made and are held back: of a subscription that is muted, or that gathers them for a while.
create table held_report (
  seq integer primary key autoincrement,
  sub_id text not null references subscription (sub_id) on delete cascade,
  body text not null,
  made_s integer not null
) strict;
create index held_report_subscription on held_report (sub_id, seq);
