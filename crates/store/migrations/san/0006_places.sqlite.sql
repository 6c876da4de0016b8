-- Places without classes: an area meets few boxes of it, however many classes there are.
create virtual table anchor_place using rtree_i32 (
  anchor_id, min_lon, max_lon, min_lat, max_lat, +class_id
);
insert into anchor_place
select anchor_id, min_lon, max_lon, min_lat, max_lat, max_class from anchor_box;
