-- Discovery in the order of identifiers reads nothing but an index: class, place and time period beside the identifier.
create index anchor_walk on anchor (class_id, anchor_id, lon, lat, start_s, stop_s);
drop index anchor_class;

create index anchor_walk_service on anchor (class_id, service_id, anchor_id, lon, lat, start_s, stop_s);
drop index anchor_service;

create index anchor_spec on anchor (class_id, spec_hash, anchor_id) where spec_hash is not null;
