-- CAPIF core function: who may come in, who is in, what is published, what was granted. Secrets are kept as SHA-256 only.
create table signing_keys (
  kid text primary key,
  alg text not null,
  sealed bytea not null,
  created_s bigint not null,
  active_from_s bigint not null,
  retires_s bigint,
  revoked_s bigint
);
create table secrets (
  name text primary key,
  sealed bytea not null
);

-- Subscriptions to events, and what happened and was not yet told: as in the schemas of the spatial servers.
create table subscription (
  sub_id text primary key,
  family text not null,
  owner_issuer text not null,
  owner_subject text not null,
  owner_name text not null,
  client text not null,
  standing text not null,
  body text not null,
  version bigint not null,
  state text not null,
  reports bigint not null,
  reports_max bigint,
  ends_s bigint,
  next_s bigint,
  ended_s bigint,
  trace text,
  created_s bigint not null
);
create index subscription_family on subscription (family, sub_id);
create index subscription_owner on subscription (owner_issuer, owner_subject);
create index subscription_next on subscription (next_s);
create table happening (
  seq bigserial primary key,
  kind text not null,
  body text not null,
  at_ms bigint not null,
  trace text
);

-- What lets somebody onboard or register, once.
create table capif_enrolment (
  enrolment_id text primary key,
  secret_sha256 bytea not null unique,
  kind text not null,
  name text not null,
  apis text not null,
  expires_s bigint not null,
  used_s bigint
);
create index capif_enrolment_expiry on capif_enrolment (expires_s);

-- Whose a certificate is: this row, and never what stands in the certificate.
create table capif_certificate (
  x5t_s256 text primary key,
  role text not null,
  principal text not null,
  registration text not null,
  not_after_s bigint not null,
  revoked_s bigint
);
create index capif_certificate_principal on capif_certificate (principal);
create index capif_certificate_registration on capif_certificate (registration);
create index capif_certificate_expiry on capif_certificate (not_after_s);

create table capif_provider (
  registration_id text primary key,
  domain_id text not null unique,
  enrolment_id text not null,
  body text not null,
  version bigint not null,
  created_s bigint not null,
  changed_s bigint not null
);
create table capif_provider_function (
  function_id text primary key,
  registration_id text not null references capif_provider (registration_id) on delete cascade,
  role text not null
);
create index capif_provider_function_registration on capif_provider_function (registration_id);

create table capif_invoker (
  invoker_id text primary key,
  enrolment_id text not null,
  body text not null,
  key_sha256 bytea not null unique,
  secret_sha256 bytea,
  expires_s bigint,
  state text not null,
  version bigint not null,
  created_s bigint not null,
  changed_s bigint not null
);
create index capif_invoker_expiry on capif_invoker (expires_s);

create table capif_service_api (
  api_id text primary key,
  apf_id text not null,
  registration_id text not null,
  api_name text not null,
  body text not null,
  version bigint not null,
  created_s bigint not null
);
create index capif_service_api_apf on capif_service_api (apf_id, api_id);
create index capif_service_api_registration on capif_service_api (registration_id);
create index capif_service_api_name on capif_service_api (api_name);
create table capif_service_api_aef (
  aef_id text not null,
  api_name text not null,
  api_id text not null references capif_service_api (api_id) on delete cascade,
  primary key (aef_id, api_name)
);
create index capif_service_api_aef_api on capif_service_api_aef (api_id);

-- One row for each service API at each API exposing function, so that the end of one leaves the others.
create table capif_context (
  invoker_id text primary key,
  body text not null,
  version bigint not null,
  created_s bigint not null,
  changed_s bigint not null
);
create table capif_context_entry (
  invoker_id text not null references capif_context (invoker_id) on delete cascade,
  aef_id text not null,
  api_id text not null,
  api_name text not null,
  method text not null,
  primary key (invoker_id, aef_id, api_id)
);
create index capif_context_entry_aef on capif_context_entry (aef_id, invoker_id);
create index capif_context_entry_api on capif_context_entry (api_id, invoker_id);

-- An empty invoker: every invoker that has no row of its own.
create table capif_access_control (
  api_id text not null,
  aef_id text not null,
  invoker_id text not null,
  body text not null,
  version bigint not null,
  primary key (api_id, aef_id, invoker_id)
);
create index capif_access_control_invoker on capif_access_control (invoker_id);

-- The chain of invocations that API exposing functions report.
create table capif_invocation_head (id bigint primary key check (id = 1), seq bigint not null, hash text not null);
insert into capif_invocation_head (id, seq, hash)
values (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
create table capif_invocation (
  seq bigint primary key,
  log_id text not null,
  at_ms bigint not null,
  aef_id text not null,
  invoker_id text not null,
  api_id text not null,
  api_name text not null,
  api_version text not null,
  resource_name text not null,
  protocol text not null,
  operation text,
  result text not null,
  body text not null,
  prev text not null,
  hash text not null
);
create index capif_invocation_invoker on capif_invocation (invoker_id, seq);
create index capif_invocation_aef on capif_invocation (aef_id, seq);
create index capif_invocation_api on capif_invocation (api_id, seq);
create index capif_invocation_at on capif_invocation (at_ms);

create table capif_routing (
  api_id text not null,
  aef_id text not null,
  body text not null,
  version bigint not null,
  primary key (api_id, aef_id)
);

-- Resources of API exposing functions, with the policies of their owners.
create table capif_resource (
  aef_id text not null,
  resource_id text not null,
  resource_type text not null,
  api_id text not null,
  owner_kind text not null,
  owner text not null,
  policy_version bigint not null,
  body text not null,
  expires_s bigint,
  changed_ms bigint not null,
  primary key (aef_id, resource_id)
);
create index capif_resource_owner on capif_resource (owner_kind, owner, aef_id, resource_id);
create index capif_resource_expiry on capif_resource (expires_s);
create table capif_owner_policy (
  aef_id text not null,
  resource_id text not null,
  owner_kind text not null,
  owner text not null,
  body text not null,
  version bigint not null,
  primary key (aef_id, resource_id),
  foreign key (aef_id, resource_id) references capif_resource (aef_id, resource_id) on delete cascade
);

-- Questions to owners. One open question for each requester and resource.
create table capif_ask (
  ask_id text primary key,
  aef_id text not null,
  resource_id text not null,
  invoker_id text not null,
  actions text not null,
  nonce_sha256 bytea not null,
  state text not null,
  expires_s bigint not null,
  until_s bigint,
  decided_s bigint,
  created_s bigint not null,
  foreign key (aef_id, resource_id) references capif_resource (aef_id, resource_id) on delete cascade
);
create unique index capif_ask_open on capif_ask (aef_id, resource_id, invoker_id) where state = 'OPEN';
create index capif_ask_requester on capif_ask (invoker_id, created_s);
create index capif_ask_resource on capif_ask (aef_id, resource_id, invoker_id, state);
create index capif_ask_expiry on capif_ask (expires_s);

-- Which access tokens are out, and what they name: a withdrawal finds them here.
create table capif_token (
  jti text primary key,
  invoker_id text not null,
  permission text,
  expires_s bigint not null
);
create index capif_token_invoker on capif_token (invoker_id);
create index capif_token_permission on capif_token (permission) where permission is not null;
create index capif_token_expiry on capif_token (expires_s);
create table capif_token_api (
  jti text not null references capif_token (jti) on delete cascade,
  aef_id text not null,
  api_name text not null,
  primary key (jti, aef_id, api_name)
);
create index capif_token_api_aef on capif_token_api (aef_id, api_name, jti);
create table capif_token_resource (
  jti text not null references capif_token (jti) on delete cascade,
  aef_id text not null,
  resource_id text not null,
  primary key (jti, aef_id, resource_id)
);
create index capif_token_resource_resource on capif_token_resource (aef_id, resource_id, jti);
