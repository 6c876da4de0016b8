-- A class has breadth in the index of areas, as in that of the places of anchors.
create virtual table map_box_broad using rtree_i32 (
  box_id, min_lon, max_lon, min_lat, max_lat, min_class, max_class
);
insert into map_box_broad
select box_id, min_lon, max_lon, min_lat, max_lat, max_class - 1, max_class from map_box;
drop table map_box;
alter table map_box_broad rename to map_box;
