-- Spatial anchors (TS 23.437 table 7.3.2.1-1, TS 29.437 SpatialAnchorsList).

-- One row per distinct rule set, the owner included where it matters: the dimension by which discovery is
-- permission-aware.
create table visibility_class (
  class_id integer primary key,
  class_hash text not null unique
) strict;

-- Who holds a class: whoever has one of its matches.
create table class_match (
  match_key text not null,
  class_id integer not null references visibility_class (class_id) on delete cascade,
  primary key (match_key, class_id)
) strict, without rowid;
create index class_match_class on class_match (class_id);

create table anchors_list (
  list_id text primary key,
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  service_id text not null,
  serv_info text not null,
  incarnation integer not null,
  version integer not null,
  created_s integer not null
) strict;

-- Every anchor id that was ever given; a row outlives its anchor, so that no id comes twice.
create table anchor_id_used (
  anchor_id integer primary key
) strict;

create table anchor (
  anchor_id integer primary key references anchor_id_used (anchor_id),
  list_id text not null references anchors_list (list_id),
  label text not null,
  owner_key text not null,
  class_id integer not null references visibility_class (class_id),
  service_id text not null,
  incarnation integer not null,
  body text not null,
  spec_hash text,
  lon real,
  lat real,
  start_s integer,
  stop_s integer,
  unique (list_id, label)
) strict;
create index anchor_class on anchor (class_id, anchor_id);
create index anchor_service on anchor (class_id, service_id, anchor_id);

-- Longitude and latitude in 1e-7 degree, the class as third dimension.
create virtual table anchor_box using rtree_i32 (
  anchor_id, min_lon, max_lon, min_lat, max_lat, min_class, max_class
);

-- Where the operator last saw a VAL UE (admin interface), for service areas and area rules.
create table ue_position (
  val_ue_id text primary key,
  lon real not null,
  lat real not null,
  alt real,
  at_s integer not null
) strict;
