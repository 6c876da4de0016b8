-- A class has breadth in the index of places: boxes without volume are piled up, and a search reads most of them.
create virtual table anchor_box_broad using rtree_i32 (
  anchor_id, min_lon, max_lon, min_lat, max_lat, min_class, max_class
);
insert into anchor_box_broad
select anchor_id, min_lon, max_lon, min_lat, max_lat, max_class - 1, max_class from anchor_box;
drop table anchor_box;
alter table anchor_box_broad rename to anchor_box;
