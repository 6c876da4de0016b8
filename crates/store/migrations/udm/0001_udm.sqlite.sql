-- What the UDM keeps: subscribers, what they consent to, purposes, and who is told of changes. The row of a subscriber is the
-- lock under which its consents change; each change raises its version.
create table udm_subscriber (
  supi text primary key,
  gpsi text not null unique,
  external_id text unique,
  version integer not null,
  changed_s integer not null,
  privacy text not null,
  privacy_version integer not null
) strict;
create table udm_consent (
  supi text not null references udm_subscriber (supi) on delete cascade,
  purpose text not null,
  consent text not null,
  version integer not null,
  changed_s integer not null,
  primary key (supi, purpose)
) strict;
create table udm_purpose (
  purpose text primary key,
  categories text not null,
  version integer not null
) strict;
create table udm_sdm_subscription (
  sub_id text primary key,
  supi text not null references udm_subscriber (supi) on delete cascade,
  peer text not null,
  body text not null,
  expires_s integer not null,
  created_s integer not null
) strict;
create index udm_sdm_subscription_supi on udm_sdm_subscription (supi, sub_id);
create index udm_sdm_subscription_peer on udm_sdm_subscription (peer);
create index udm_sdm_subscription_end on udm_sdm_subscription (expires_s);
