-- Subscriptions of every kind: who is told of what, on whose authority, and when the next report is due.
create table subscription (
  sub_id text primary key,
  family text not null,
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  client text not null,
  standing text not null,
  body text not null,
  version bigint not null,
  state text not null,
  reports bigint not null,
  reports_max bigint,
  ends_s bigint,
  next_s bigint,
  ended_s bigint,
  trace text,
  created_s bigint not null
);
create index subscription_family on subscription (family, sub_id);
create index subscription_owner on subscription (owner_issuer, owner_subject);
create index subscription_next on subscription (next_s);

-- What happened and was not yet told to anybody: written in the transaction of the change, taken with the messages
-- that come of it.
create table happening (
  seq bigserial primary key,
  kind text not null,
  body text not null,
  at_ms bigint not null,
  trace text
);

-- Which anchors were in range of whom at the last look (TS 29.437 DetectedEvent): what is told is the crossing.
create table in_range (
  sub_id text not null references subscription (sub_id) on delete cascade,
  part bigint not null,
  ue text not null,
  anchor_id bigint not null,
  primary key (sub_id, part, ue, anchor_id)
);
create index in_range_anchor on in_range (sub_id, part, anchor_id);

-- How often an anchor was discovered and accessed (TS 23.437 8.4).
create table anchor_usage (
  anchor_id bigint primary key,
  discovered bigint not null,
  accessed bigint not null
);

-- UEs near an anchor.
create index ue_position_at on ue_position (lat, lon);

-- Groups of anchors: what somebody has registered here, until it ends.
create table registration (
  reg_id text primary key,
  family text not null,
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  client text not null,
  body text not null,
  version bigint not null,
  ends_s bigint,
  created_s bigint not null
);
create index registration_family on registration (family, reg_id);
create index registration_owner on registration (owner_issuer, owner_subject);

-- What somebody is told of his own anchors.
create index anchor_owner on anchor (owner_key, anchor_id);
