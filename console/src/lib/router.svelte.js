// The place in the pages stands behind the `#`: `#/audit?actor=olga`.

function read() {
  const text = location.hash.startsWith('#/') ? location.hash.slice(2) : '';
  const [path, query = ''] = text.split('?');
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  return { parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

export const place = $state(read());

addEventListener('hashchange', () => Object.assign(place, read()));

/** The address of a place in the pages. Empty values of the query are left out. */
export function href(parts, query = {}) {
  const path = parts.map(encodeURIComponent).join('/');
  const filled = Object.entries(query).filter(([, value]) => value !== '' && value != null);
  const search = new URLSearchParams(filled).toString();
  return `#/${path}${search ? `?${search}` : ''}`;
}

export function go(parts, query = {}) {
  location.hash = href(parts, query);
}

/** Changes the query in place, without a new entry in the history. */
export function amend(query) {
  const next = { ...place.query, ...query };
  history.replaceState(null, '', href(place.parts, next));
  Object.assign(place, read());
}
