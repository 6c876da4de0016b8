// What stands in records of the CAPIF core function, in words.

import { whenInFull } from '../lib/format.js';

/** Who owns a resource. */
export function ownerOf(owner) {
  if (owner?.apiInvokerId) return `API invoker ${owner.apiInvokerId}`;
  if (owner?.resOwnerId) return `subscriber ${owner.resOwnerId.gpsi}`;
  if (owner?.principal) return `${owner.principal.sub} of ${owner.principal.iss}`;
  return 'unknown';
}

const SUBJECTS = {
  apiInvokerId: 'API invoker',
  apiInvokerGroup: 'the group',
  valServiceId: 'whoever serves the VAL service',
  gpsi: 'subscriber',
};

function subject(one) {
  if (one === 'ANY_ONBOARDED') return 'every API invoker';
  const [kind, name] = Object.entries(one)[0] ?? [];
  return `${SUBJECTS[kind] ?? kind} ${name}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(list, word = 'and') {
  if (list.length < 2) return list[0] ?? '';
  return `${list.slice(0, -1).join(', ')} ${word} ${list.at(-1)}`;
}

/** One policy of an owner as a sentence. */
export function policyInWords(policy) {
  const who = listed(policy.subjects.map(subject), 'or');
  const may = policy.effect === 'DENY' ? 'must not' : 'may';
  const what = listed(policy.actions, policy.effect === 'DENY' ? 'or' : 'and');
  const parts = policy.servInfoIds ? ` the entries ${listed(policy.servInfoIds)} of it` : ' it';
  const when = policy.timeWindows
    ? `, ${listed(policy.timeWindows.map((one) => `from ${whenInFull(one.startTime)} to ${whenInFull(one.stopTime)}`), 'or')}`
    : '';
  const where = policy.serviceArea ? ', in an area' : '';
  const why = policy.purposes ? `, for ${listed(policy.purposes, 'or')}` : '';
  const text = `${who} ${may} ${what}${parts}${when}${where}${why}.`;
  return text[0].toUpperCase() + text.slice(1);
}

const VISIBLE = {
  UNIVERSAL: 'Everybody may learn that it is there.',
  LISTED: 'Only whom a policy names may learn that it is there.',
  PRIVATE: 'Nobody but the owner may learn that it is there.',
};

export const visibilityInWords = (resource) => VISIBLE[resource.visibility ?? 'PRIVATE'];

export const defaultInWords = (resource) =>
  ({ ASK_OWNER: 'Where no policy fits, the owner is asked.', DENY: 'Where no policy fits, the answer is no.' })[resource.defaultDecision] ??
  'Where no policy fits, the core function decides as it is set.';

/** `3gpp_spatial_anchor` as people say it. */
export const typeInWords = (type) =>
  ({ '3gpp_spatial_anchor': 'spatial anchor', '3gpp_spatial_map': 'spatial map', '3gpp_digital_asset': 'digital asset' })[type] ?? type;

/** The certificate that counts, or the one that lasted longest. */
export const certificateOf = (party) => party.certificates.find((one) => one.counts) ?? party.certificates[0];

const DAY_MS = 86_400_000;

/** How long a certificate is still good: `{ kind, text }`. */
export function certificateInWords(certificate, now = Date.now()) {
  if (!certificate) return { kind: 'bad', text: 'none' };
  if (certificate.revokedAt) return { kind: 'bad', text: 'withdrawn' };
  const left = new Date(certificate.notAfter) - now;
  if (!certificate.counts || left <= 0) return { kind: 'bad', text: 'expired' };
  const days = Math.floor(left / DAY_MS);
  if (days < 1) return { kind: 'warn', text: 'ends today' };
  return { kind: days < 14 ? 'warn' : 'good', text: days === 1 ? 'one day left' : `${days} days left` };
}

/** What an enrolment allows. */
export const allowedInWords = (apis) => (apis?.length > 0 ? apis.join(', ') : 'all');

/** Limits as a sentence. */
export function limitsInWords(limits) {
  const parts = [];
  if (limits.allowedTotalInvocations !== undefined) parts.push(`${limits.allowedTotalInvocations} in all`);
  if (limits.allowedInvocationsPerSecond !== undefined) parts.push(`${limits.allowedInvocationsPerSecond} a second`);
  for (const range of limits.allowedInvocationTimeRangeList ?? []) {
    const from = range.startTime ? `from ${whenInFull(range.startTime)}` : '';
    const to = range.stopTime ? `until ${whenInFull(range.stopTime)}` : '';
    parts.push(`${from} ${to}`.trim());
  }
  return parts.join(', ') || 'no bound';
}
