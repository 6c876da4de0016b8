-- Spatial anchors (TS 23.437 table 7.3.2.1-1, TS 29.437 SpatialAnchorsList).
create extension if not exists postgis with schema public;

-- One row per distinct rule set, the owner included where it matters: the dimension by which discovery is
-- permission-aware.
create table visibility_class (
  class_id bigint primary key,
  class_hash text not null unique
);

-- Who holds a class: whoever has one of its matches.
create table class_match (
  match_key text not null,
  class_id bigint not null references visibility_class (class_id) on delete cascade,
  primary key (match_key, class_id)
);
create index class_match_class on class_match (class_id);

create table anchors_list (
  list_id text primary key,
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  service_id text not null,
  serv_info text not null,
  incarnation bigint not null,
  version bigint not null,
  created_s bigint not null
);

-- Every anchor id that was ever given; a row outlives its anchor, so that no id comes twice.
create table anchor_id_used (
  anchor_id bigint primary key
);

create table anchor (
  anchor_id bigint primary key references anchor_id_used (anchor_id),
  list_id text not null references anchors_list (list_id),
  label text not null,
  owner_key text not null,
  class_id bigint not null references visibility_class (class_id),
  service_id text not null,
  incarnation bigint not null,
  body text not null,
  spec_hash text,
  lon double precision,
  lat double precision,
  start_s bigint,
  stop_s bigint,
  unique (list_id, label)
);
create index anchor_class on anchor (class_id, anchor_id);
create index anchor_service on anchor (class_id, service_id, anchor_id);

-- A point of longitude, latitude (degrees) and, as third dimension, the class.
create table anchor_box (
  anchor_id bigint primary key,
  at public.geometry (PointZ) not null
);
create index anchor_box_at on anchor_box using gist (at public.gist_geometry_ops_nd);

-- Where the operator last saw a VAL UE (admin interface), for service areas and area rules.
create table ue_position (
  val_ue_id text primary key,
  lon double precision not null,
  lat double precision not null,
  alt double precision,
  at_s bigint not null
);
