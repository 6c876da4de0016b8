// What the pages ask for: always of their own server, which knows the operator by a cookie that no script sees.

/** Who is logged in; `null` until that is known, `false` for nobody. */
export const session = $state({ who: null, fault: null });

/** An answer that is a refusal, in words that say what to do. */
export class Refused extends Error {
  constructor(status, problem, trace, login) {
    super(words(status, problem, login));
    this.status = status;
    this.cause = problem?.cause ?? '';
    this.invalid = problem?.invalidParams ?? [];
    this.trace = trace;
    /** The login that heals it (RFC 9470): `{ acr, maxAge }`, or nothing. */
    this.login = login;
  }
}

const CAUSES = {
  TOKEN_MISSING: 'The session has ended. Log in again.',
  UNAUTHORIZED_OPERATION: 'Your roles do not allow this. An administrator can give you the role that it needs.',
  INSUFFICIENT_SCOPE: 'Your account is not entitled to this. A policy that permits it can be added under Policies.',
  RESOURCE_NOT_FOUND: 'It does not exist, or not any more. Go back to the list and load it again.',
  ROLE_NOT_HERE: 'The function that this belongs to does not run here. Start it, or name it under [peers].',
  ID_TAKEN: 'The identifier is in use. Choose another one.',
  PRECONDITION_FAILED: 'Somebody else has changed it meanwhile. Load it again and repeat the change.',
  TOO_LARGE: 'That is too much at once. Send less.',
  TOO_MANY_REQUESTS: 'Too many requests. Wait a moment, then try again.',
  OVERLOADED: 'The server is busy. Wait a moment, then try again.',
  DECISION_UNAVAILABLE: 'A server that this needs does not answer. Look at Health.',
  ISSUER_UNREACHABLE: 'The SIM-S does not answer. Look at Health.',
  SYSTEM_FAILURE: 'The server failed. Its log has more under the trace below.',
};

function words(status, problem, login) {
  if (login) {
    const age = login.maxAge ? ` of the last ${Math.round(login.maxAge / 60)} minutes` : '';
    return login.acr === 'phr' ? `This act needs a login with a passkey${age}.` : `This act needs a login${age}.`;
  }
  const invalid = problem?.invalidParams ?? [];
  if (invalid.length > 0) {
    return `Correct this and send it again: ${invalid.map((one) => `${one.param} ${one.reason ?? ''}`.trim()).join('; ')}.`;
  }
  return CAUSES[problem?.cause] ?? problem?.detail ?? `The server answered with status ${status}.`;
}

/** Asks, and gives `{ body, headers, status }`. Throws `Refused`, or an error that says that nothing answered. */
export async function ask(path, { method = 'GET', body, type = 'application/json', headers = {}, signal, raw = false } = {}) {
  const send = { method, headers: { ...headers }, signal, credentials: 'same-origin', cache: 'no-store' };
  if (method !== 'GET' && session.who) send.headers['x-csrf-token'] = session.who.csrf;
  if (body !== undefined) {
    send.body = JSON.stringify(body);
    send.headers['content-type'] = type;
  }
  let answer;
  try {
    answer = await fetch(path, send);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The console does not answer. Check that the program runs, then try again.');
  }
  const trace = answer.headers.get('traceparent')?.split('-')[1];
  if (!answer.ok) {
    const problem = await answer.json().catch(() => null);
    const challenge = answer.headers.get('www-authenticate') ?? '';
    const stale = challenge.includes('insufficient_user_authentication');
    const login = stale
      ? { acr: /acr_values="([^"]+)"/.exec(challenge)?.[1] ?? '', maxAge: Number(/max_age="(\d+)"/.exec(challenge)?.[1] ?? 0) }
      : null;
    if (answer.status === 401 && !stale) session.who = false;
    throw new Refused(answer.status, problem, trace, login);
  }
  const isJson = (answer.headers.get('content-type') ?? '').includes('json');
  const content = raw ? await answer.arrayBuffer() : isJson ? await answer.json() : null;
  return { body: content, headers: answer.headers, status: answer.status, trace };
}

const query = (params = {}) => {
  const filled = Object.entries(params).filter(([, value]) => value !== '' && value != null);
  return filled.length > 0 ? `?${new URLSearchParams(filled)}` : '';
};
const segment = (id) => encodeURIComponent(id);

/** The admin API: `admin('users', 'alice')`. */
export const admin = {
  get: async (parts, params, options) =>
    (await ask(`/api/admin/${parts.map(segment).join('/')}${query(params)}`, options)).body,
  put: (parts, body) => ask(`/api/admin/${parts.map(segment).join('/')}`, { method: 'PUT', body }),
  post: (parts, body) => ask(`/api/admin/${parts.map(segment).join('/')}`, { method: 'POST', body }),
  delete: (parts) => ask(`/api/admin/${parts.map(segment).join('/')}`, { method: 'DELETE' }),
};

export async function whoAmI() {
  session.fault = null;
  try {
    session.who = (await ask('/api/session')).body;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) session.who = false;
    else session.fault = error;
  }
}

export async function logout() {
  await ask('/logout', { method: 'POST' }).catch(() => undefined);
  session.who = false;
}

/** Sends the browser to the login, one with a passkey where `acr` says so, and back to where it is now. */
export function login(acr = '') {
  const wanted = new URLSearchParams();
  if (location.hash.startsWith('#/')) wanted.set('next', location.hash);
  if (acr) wanted.set('acr', acr);
  location.assign(`/login${wanted.size > 0 ? `?${wanted}` : ''}`);
}

/** Whether the operator has one of these roles; the servers decide, this only leaves out what they would refuse. */
export const may = (...roles) => Boolean(session.who) && roles.some((role) => session.who.roles.includes(role));
