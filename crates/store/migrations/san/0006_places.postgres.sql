-- Places without classes: an area meets few boxes of it, however many classes there are.
create index anchor_box_place on anchor_box using gist (at public.gist_geometry_ops_2d);
