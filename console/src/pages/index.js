// Every page, where it stands in the navigation, and the roles that its server asks for; who has none is not led there.

const OPERATE = ['admin', 'operator'];
const READ = ['admin', 'operator', 'auditor'];
const AUDIT = ['admin', 'auditor'];

export const PAGES = [
  { path: '', roles: OPERATE, title: 'Map', group: 'Look', load: () => import('./Map.svelte') },
  { path: 'procedures', roles: READ, title: 'Procedures', group: 'Look', load: () => import('./Procedures.svelte') },
  { path: 'users', roles: OPERATE, title: 'Users', group: 'Registry', load: () => import('./Users.svelte') },
  { path: 'clients', roles: OPERATE, title: 'Clients', group: 'Registry', load: () => import('./Clients.svelte') },
  { path: 'services', roles: OPERATE, title: 'Services', group: 'Registry', load: () => import('./Services.svelte') },
  { path: 'policies', roles: OPERATE, title: 'Policies', group: 'Registry', load: () => import('./Policies.svelte') },
  { path: 'keys', roles: READ, title: 'Tokens and keys', group: 'Control', load: () => import('./Keys.svelte') },
  { path: 'audit', roles: AUDIT, title: 'Audit', group: 'Control', load: () => import('./Audit.svelte') },
  { path: 'charging', roles: READ, title: 'Charging', group: 'Control', load: () => import('./Charging.svelte') },
  { path: 'health', roles: READ, title: 'Health', group: 'Control', load: () => import('./Health.svelte') },
  { path: 'apis', roles: null, title: 'APIs', group: 'Control', load: () => import('./Apis.svelte') },
];

const TRACE = { title: 'Trace', load: () => import('./Trace.svelte') };
const LOST = { title: 'Not found', key: 'lost', load: () => import('./Lost.svelte') };

/** The page of a place. */
export function pageOf(parts) {
  if (parts[0] === 'procedures' && parts.length === 2) return { ...TRACE, key: `trace ${parts[1]}` };
  const found = PAGES.find((page) => page.path === (parts[0] ?? ''));
  return found && parts.length <= 1 ? { ...found, key: found.path } : LOST;
}
