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
  { path: 'invokers', roles: OPERATE, title: 'API invokers', group: 'CAPIF', load: () => import('./capif/Invokers.svelte') },
  { path: 'providers', roles: OPERATE, title: 'API providers', group: 'CAPIF', load: () => import('./capif/Providers.svelte') },
  { path: 'service-apis', roles: OPERATE, title: 'Service APIs', group: 'CAPIF', load: () => import('./capif/ServiceApis.svelte') },
  { path: 'contexts', roles: OPERATE, title: 'Contexts', group: 'CAPIF', load: () => import('./capif/Contexts.svelte') },
  { path: 'resources', roles: OPERATE, title: 'Resource policies', group: 'CAPIF', load: () => import('./capif/Resources.svelte') },
  { path: 'keys', roles: READ, title: 'Tokens and keys', group: 'Control', load: () => import('./Keys.svelte') },
  { path: 'audit', roles: AUDIT, title: 'Audit', group: 'Control', load: () => import('./Audit.svelte') },
  { path: 'charging', roles: READ, title: 'Charging', group: 'Control', load: () => import('./Charging.svelte') },
  { path: 'health', roles: READ, title: 'Health', group: 'Control', load: () => import('./Health.svelte') },
  { path: 'apis', roles: null, title: 'APIs', group: 'Control', load: () => import('./Apis.svelte') },
];

/** Pages of one thing of a list. */
const ONE = {
  procedures: { title: 'Trace', load: () => import('./Trace.svelte') },
  invokers: { title: 'API invoker', load: () => import('./capif/Invoker.svelte') },
  providers: { title: 'API provider', load: () => import('./capif/Provider.svelte') },
  'service-apis': { title: 'Service API', load: () => import('./capif/ServiceApi.svelte') },
};
const LOST = { title: 'Not found', key: 'lost', load: () => import('./Lost.svelte') };

/** The page of a place. */
export function pageOf(parts) {
  if (parts.length === 2 && Object.hasOwn(ONE, parts[0])) return { ...ONE[parts[0]], key: parts.join(' ') };
  const found = PAGES.find((page) => page.path === (parts[0] ?? ''));
  return found && parts.length <= 1 ? { ...found, key: found.path } : LOST;
}
