-- World links of ETSI GS ARF 005: where an anchor or an object of a map lies in the frame of another. The ends stand in the
-- body: they may be gone, or another server's.
create table world_link (
  link_id bigint primary key,
  life bigint not null,
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  body text not null,
  created_s bigint not null
);
create index world_link_owner on world_link (owner_issuer, owner_subject);
