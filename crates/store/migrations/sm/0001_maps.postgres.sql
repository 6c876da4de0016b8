-- Spatial maps (TS 23.437 table 7.3.3.1-1, TS 29.437 SpatialMap), their payloads and what the build of a map needs.
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

-- Every map id that was ever given; a row outlives its map, so that no id comes twice.
create table map_id_used (
  map_id bigint primary key
);

-- A map that is asked for and not yet built. It is no map: nobody finds it.
create table map_build (
  map_id bigint primary key references map_id_used (map_id),
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  owner_client text not null,
  notif_uri text not null,
  request text not null,
  trace text,
  asked_s bigint not null
);

create table map (
  map_id bigint primary key references map_id_used (map_id),
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  class_id bigint not null references visibility_class (class_id),
  service_id text not null,
  version bigint not null,
  body text not null,
  start_s bigint,
  stop_s bigint,
  created_s bigint not null,
  content_sha256 bytea,
  content_type text,
  content_length bigint
);
create index map_class on map (class_id, map_id);
create index map_service on map (class_id, service_id, map_id);
create index map_content on map (content_sha256);
create index map_owner on map (owner_issuer, owner_subject);

create table map_layer (
  layer_id text not null,
  map_id bigint not null references map (map_id) on delete cascade,
  primary key (layer_id, map_id)
);
create index map_layer_map on map_layer (map_id);

-- The boxes that cover a map: rectangles in degrees of longitude and latitude, with the class as third dimension. A map
-- of several areas, or one across the 180th meridian, has several.
create table map_box (
  box_id bigint primary key,
  area public.geometry not null
);
create index map_box_area on map_box using gist (area public.gist_geometry_ops_nd);
create table map_box_of (
  box_id bigint primary key,
  map_id bigint not null
);
create index map_box_of_map on map_box_of (map_id);

-- Octets of payload per owner; the row is what orders two uploads of one owner.
create table map_owner_usage (
  owner_issuer text not null,
  owner_subject text not null,
  octets bigint not null,
  primary key (owner_issuer, owner_subject)
);

-- Hosts that a client has registered for callbacks (admin interface).
create table client_host (
  client_id text not null,
  host text not null,
  primary key (client_id, host)
);

-- Where the operator last saw a VAL UE (admin interface).
create table ue_position (
  val_ue_id text primary key,
  lon double precision not null,
  lat double precision not null,
  alt double precision,
  at_s bigint not null
);
