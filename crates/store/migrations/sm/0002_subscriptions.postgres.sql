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

-- Callback hosts are asked of the SIM-S, which keeps them.
drop table client_host;

-- Data sources of maps and servers of maps: what somebody has registered here, until it ends.
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

-- UEs in an area.
create index ue_position_at on ue_position (lat, lon);
