// Anchors through the anchor server's own interface (TS 29.437 ssan-sanm), in the operator's name.

import { ask } from '../lib/api.svelte.js';
import { toList } from '../lib/lists.js';

const LISTS = '/api/san/ssan-sanm/v1/anchors-lists';
const list = (id) => `${LISTS}/${encodeURIComponent(id)}`;
/** Bit 1: members of our own are understood. */
const FEATURES = '1';

const position = ({ lon, lat, height }) => ({
  pos: {
    shape: 'LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID',
    localOrigin: { coordinateId: 'console', point: { lon: Number(lon), lat: Number(lat) }, horizAxesOrientation: 0 },
    point: { x: 0, y: 0, z: Number(height) },
    uncertaintyEllipsoid: { semiMajor: 1, semiMinor: 1, vertical: 1, orientationMajor: 0 },
    confidence: 68,
  },
});

/** The rules of a form, or `null` where nobody is named. */
function rulesOf(form) {
  const clients = toList(form.clients).map((identifier) => ({ type: 'VAL_CLIENT', identifier }));
  const servers = toList(form.servers).map((identifier) => ({ type: 'VAL_SERVER', identifier }));
  const services = toList(form.services);
  const rules = {};
  if (clients.length + servers.length > 0) rules.allowedEntities = [...clients, ...servers];
  if (services.length > 0) rules.valServiceList = services;
  return Object.keys(rules).length > 0 ? rules : null;
}

/** A new list with this one anchor. */
export async function create(form) {
  const anchor = { posInfo: position(form), visibility: form.visibility };
  if (form.name) anchor.name = form.name;
  const rules = form.visibility === 'RESTRICTED' ? rulesOf(form) : null;
  if (rules) anchor.rules = rules;
  const body = {
    valServInfo: { serviceId: form.serviceId, endPt: { uri: form.endpoint } },
    anchors: { a1: anchor },
    suppFeat: FEATURES,
  };
  const answer = await ask(LISTS, { method: 'POST', body });
  return Object.values(answer.body.anchors)[0].anchorId;
}

/** The list of an anchor, as its owner reads it. */
export async function read(id) {
  const answer = await ask(`${list(id)}?supp-feats=${FEATURES}`);
  return { body: answer.body, etag: answer.headers.get('etag') };
}

/** Changes one anchor of a list. */
export async function change(id, label, form, etag) {
  const anchor = {
    name: form.name || null,
    visibility: form.visibility,
    rules: form.visibility === 'RESTRICTED' ? rulesOf(form) : null,
    posInfo: position(form),
  };
  const body = { suppFeat: FEATURES, anchors: { [label]: anchor } };
  await ask(list(id), { method: 'PATCH', type: 'application/merge-patch+json', body, headers: etag ? { 'if-match': etag } : {} });
}

/** Takes an anchor away; with the last one its list. */
export async function remove(id, label) {
  const { body } = await read(id);
  if (Object.keys(body.anchors).length === 1) {
    await ask(list(id), { method: 'DELETE' });
    return;
  }
  const patch = { suppFeat: FEATURES, anchors: { [label]: null } };
  await ask(list(id), { method: 'PATCH', type: 'application/merge-patch+json', body: patch });
}

/** A form for an anchor that is there, or for a new one at a place. */
export function formOf(at, anchor = null) {
  const pos = anchor?.posInfo?.pos;
  const entities = anchor?.rules?.allowedEntities ?? [];
  const of = (type) => entities.filter((one) => one.type === type).map((one) => one.identifier).join('\n');
  return {
    name: anchor?.name ?? '',
    lon: (pos?.localOrigin?.point?.lon ?? at.lon).toFixed(7),
    lat: (pos?.localOrigin?.point?.lat ?? at.lat).toFixed(7),
    height: String(pos?.point?.z ?? 0),
    serviceId: '',
    endpoint: 'https://guide.campus.example/anchors',
    visibility: anchor?.visibility ?? 'UNIVERSAL',
    clients: of('VAL_CLIENT'),
    servers: of('VAL_SERVER'),
    services: (anchor?.rules?.valServiceList ?? []).join('\n'),
  };
}
