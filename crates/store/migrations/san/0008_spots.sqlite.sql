-- The class of a place is part of its key: as a column beside the index it is kept in a table of its own, which is read
-- once for each entry that is met.
create virtual table anchor_spot using rtree_i32 (
  spot, min_lon, max_lon, min_lat, max_lat
);
insert into anchor_spot
select (class_id << 31) | anchor_id, min_lon, max_lon, min_lat, max_lat from anchor_place;
drop table anchor_place;
