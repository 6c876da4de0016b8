// The pages of CAPIF in a real browser: enrol, see who is on record, limits, why a token was refused, what an owner allows;
// by keyboard, at phone width, in the dark, and accessible.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admin, browser, fits, go, login, open, seen, serious, shot, wait } from './browser.mjs';
import { check, ready } from './lib.mjs';

const PAGES = ['invokers', 'providers', 'service-apis', 'contexts', 'resources'];
const ccf = ready.urls.ccf;
const work = mkdtempSync(join(tmpdir(), 'capif-'));

/** A key, and a signing request for it. */
function keyAndCsr() {
  const key = join(work, `${Math.random()}.key`);
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
  const csr = execFileSync('openssl', ['req', '-new', '-key', key, '-subj', '/CN=x']).toString();
  return { key: readFileSync(key, 'utf8'), csr };
}

/** Asks the core function, with a certificate where one is given; `{ status, body, headers }`. */
function call(method, url, { body, identity, bearer, form, trace } = {}) {
  const text = form ? new URLSearchParams(form).toString() : body ? JSON.stringify(body) : undefined;
  const headers = {};
  if (text) headers['content-type'] = form ? 'application/x-www-form-urlencoded' : 'application/json';
  if (text) headers['content-length'] = Buffer.byteLength(text);
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  if (trace) headers.traceparent = `00-${trace}-${trace.slice(0, 16)}-01`;
  return new Promise((done, failed) => {
    const asked = request(url, { method, headers, ca: readFileSync(ready.ca), ...identity }, (answer) => {
      let content = '';
      answer.on('data', (part) => (content += part));
      answer.on('end', () => done({ status: answer.statusCode, headers: answer.headers, body: content ? JSON.parse(content) : null }));
    });
    asked.on('error', failed);
    asked.end(text);
  });
}

async function expect(status, answer) {
  const got = await answer;
  if (got.status !== status) throw new Error(`not ${status} but ${got.status}: ${JSON.stringify(got.body)}`);
  return got;
}

/** Enrols on the page and gives the secret that it shows once. */
async function enrol(page, what, name, apis = '') {
  await page.getByRole('button', { name: `Enrol an API ${what}` }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('Name').fill(name);
  await form.getByLabel('Service APIs').fill(apis);
  await form.getByRole('button', { name: 'Enrol', exact: true }).click();
  await form.getByText('Take this along now').waitFor();
  const secret = await form.locator('pre').textContent();
  check(`the secret of ${name} is shown`, secret.length > 20);
  const faults = await serious(page);
  check(`the secret is shown accessibly ${faults}`, faults.length === 0);
  await shot(page, `capif-secret-${what}`);
  await page.keyboard.press('Escape');
  // Closed, and gone from the page.
  await page.locator('dialog').waitFor({ state: 'detached' });
  check('and not again', !(await page.content()).includes(secret));
  return secret;
}

async function register(secret) {
  const keys = ['AMF', 'APF', 'AEF'].map((role) => ({ role, ...keyAndCsr() }));
  const functions = keys.map(({ role, csr }) => ({ regInfo: { apiProvPubKey: csr }, apiProvFuncRole: role, apiProvFuncInfo: `${role} of the museum` }));
  const body = { regSec: secret, apiProvName: 'Museum', apiProvFuncs: functions };
  const made = await expect(201, call('POST', `${ccf}/api-provider-management/v1/registrations`, { body }));
  return made.body.apiProvFuncs.map((one, index) => ({ id: one.apiProvFuncId, key: keys[index].key, cert: one.regInfo.apiProvCert }));
}

async function onboard(secret) {
  const { key, csr } = keyAndCsr();
  const body = { onboardingInformation: { apiInvokerPublicKey: csr }, notificationDestination: 'https://guide.example/n', apiInvokerInformation: 'Guide of the museum' };
  const made = await expect(201, call('POST', `${ccf}/api-invoker-management/v1/onboardedInvokers`, { body, bearer: secret }));
  return { id: made.body.apiInvokerId, key, cert: made.body.onboardingInformation.apiInvokerCertificate };
}

/** Solution #3 by two API invokers of the sample: one creates an anchor, the other may read it. The trace of the run. */
async function solution3() {
  const trace = randomBytes(16).toString('hex');
  const { san } = ready.urls;
  const { aefId } = ready.demo.aefs.find((one) => one.role === 'san');
  const [one, two] = ready.demo.invokers.map((known) => ({ id: known.apiInvokerId, cert: readFileSync(known.cert), key: readFileSync(known.key) }));
  const security = { securityInfo: ready.demo.aefs.map((aef) => ({ aefId: aef.aefId, prefSecurityMethods: ['OAUTH'] })), notificationDestination: 'https://localhost:9443/capif' };
  await expect(201, call('PUT', `${ccf}/capif-security/v1/trustedInvokers/${one.id}`, { identity: one, body: security, trace }));
  const token = async (by, element) => {
    const details = JSON.stringify([{ type: '3gpp_spatial_anchor', ...element }]);
    const form = { grant_type: 'client_credentials', client_id: by.id, scope: `3gpp#${aefId}:ssan-sanm,ssan-disc`, authorization_details: details };
    return (await expect(200, call('POST', `${ccf}/capif-security/v1/securities/${by.id}/token`, { identity: by, form, trace }))).body.access_token;
  };
  const creation = await token(one, { level: 'SERVICE', actions: ['create', 'read', 'delete'] });
  const position = {
    shape: 'LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID',
    localOrigin: { coordinateId: 'hall', point: { lon: 2.35, lat: 48.85 }, horizAxesOrientation: 0 },
    point: { x: 0.5, y: 0.5, z: 1.6 },
    uncertaintyEllipsoid: { semiMajor: 0.1, semiMinor: 0.1, vertical: 0.1, orientationMajor: 0 },
    confidence: 90,
  };
  const rules = { allowedEntities: [{ type: 'VAL_SERVER', identifier: two.id }] };
  const list = {
    valServInfo: { serviceId: 'museum-guide', endPt: { uri: 'https://museum.example/list' } },
    anchors: { one: { posInfo: { pos: position }, name: 'a run of solution 3', visibility: 'RESTRICTED', rules } },
    suppFeat: '1',
  };
  const made = await expect(201, call('POST', `${san}/ssan-sanm/v1/anchors-lists`, { identity: one, bearer: creation, body: list, trace }));
  const listId = made.headers.location.split('/').at(-1);
  const { anchorId } = Object.values(made.body.anchors)[0];
  for (let tries = 0; tries < 100; tries += 1) {
    const known = await call('GET', `${ccf}/capif-resource-auth/v1/owners/${one.id}/resources`, { identity: one });
    if (known.body.items.some((item) => item.resourceId === `${listId}/${anchorId}`)) break;
    await wait(100);
  }
  const reading = await token(two, { level: 'INSTANCE', identifier: `${listId}/${anchorId}`, actions: ['read'] });
  await expect(200, call('GET', `${san}/ssan-sanm/v1/anchors-lists/${listId}`, { identity: two, bearer: reading, trace }));
  return trace;
}

function description(aef, apiName = 'museum-exhibits') {
  const resource = (resourceName, uri, operations) => ({ resourceName, commType: 'REQUEST_RESPONSE', uri, operations });
  const version = {
    apiVersion: 'v1',
    resources: [resource('Exhibits', '/exhibits', ['GET', 'POST']), resource('One exhibit', '/exhibits/{id}', ['GET', 'PUT', 'DELETE'])],
  };
  const profile = {
    aefId: aef, versions: [version], protocol: 'HTTP_2', dataFormat: 'JSON', securityMethods: ['OAUTH'],
    interfaceDescriptions: [{ fqdn: 'museum.example', port: 8443 }],
  };
  return { apiName, description: 'What is on show, and where', aefProfiles: [profile] };
}

try {
  const { context, page, wrong } = await open({ viewport: { width: 1280, height: 860 } });
  await login(page, 'olga');

  // Somebody who exposes an API, and somebody who uses it.
  await go(page, 'providers');
  const [, apf, aef] = await register(await enrol(page, 'provider', 'Museum of the campus'));
  const publish = (body) => expect(201, call('POST', `${ccf}/published-apis/v1/${apf.id}/service-apis`, { identity: apf, body }));
  const api = (await publish(description(aef.id))).body.apiId;
  // By which anchors are served.
  await publish(description(aef.id, 'ssan-disc'));
  await go(page, 'invokers');
  const guide = await onboard(await enrol(page, 'invoker', 'Museum guide', 'museum-exhibits\nssan-sanm\nssan-disc'));
  const information = { aefId: aef.id, prefSecurityMethods: ['OAUTH'] };
  const security = { securityInfo: [information], notificationDestination: 'https://guide.example/n' };
  await expect(201, call('PUT', `${ccf}/capif-security/v1/trustedInvokers/${guide.id}`, { identity: guide, body: security }));
  const ask = (scope) =>
    call('POST', `${ccf}/capif-security/v1/securities/${guide.id}/token`, {
      identity: guide,
      form: { grant_type: 'client_credentials', client_id: guide.id, scope },
    });
  await expect(200, ask(`3gpp#${aef.id}:museum-exhibits`));
  await expect(400, ask(`3gpp#${aef.id}:ssan-sanm`));

  for (const path of PAGES) {
    await go(page, path);
    await page.reload();
    await go(page, path);
    await wait(300);
    const faults = await serious(page);
    check(`page ${path} is accessible ${faults}`, faults.length === 0);
    check(`page ${path} shows no error`, (await page.getByRole('alert').count()) === 0);
    await shot(page, `capif-${path}`);
  }

  // One API invoker: record, refusals that lead to why.
  await go(page, 'invokers');
  await page.getByRole('button', { name: 'Museum guide' }).click();
  await page.getByRole('heading', { name: 'Museum guide' }).waitFor();
  check('an API invoker has its record', await seen(page.getByText('museum-exhibits, ssan-sanm, ssan-disc')));
  check('and its token, which is not shown', await seen(page.getByText('no single resource')));
  const faults = await serious(page);
  check(`it is accessible ${faults}`, faults.length === 0);
  await shot(page, 'capif-invoker');
  check('its last refusal stands there', await seen(page.getByText('METHOD_NOT_NEGOTIATED')));
  await page.getByRole('link', { name: /^Why was/ }).first().click();
  await page.getByRole('heading', { name: 'Why', exact: true }).waitFor();
  check('and leads to why', (await page.locator('.words').textContent()).includes('negotiated APIs'));
  await shot(page, 'capif-why');

  // One service API: resources, who may use it, limits by a form.
  await go(page, `service-apis/${api}`);
  check('resources and operations are told', (await seen(page.getByText('One exhibit'))) && (await seen(page.getByText('DELETE'))));
  check('and who may use it', await seen(page.getByRole('link', { name: 'Museum guide' })));
  await page.getByRole('button', { name: 'Set limits' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('API invoker').fill(guide.id);
  await form.getByLabel('Invocations in all').fill('1000');
  await form.getByLabel('Invocations in a second').fill('5');
  await shot(page, 'capif-limits');
  await form.getByRole('button', { name: 'Save' }).click();
  check('limits are set', await seen(page.getByText('1000 in all, 5 a second')));
  const kept = await admin(page, `capif/access-control/${guide.id}/${api}`);
  check('as the core function has them', kept.body.allowedInvocationsPerSecond === 5 && kept.body.aefId === aef.id);
  const own = await serious(page);
  check(`it is accessible ${own}`, own.length === 0);
  await shot(page, 'capif-service-api');

  // What anybody may find.
  await go(page, 'service-apis');
  await page.getByRole('button', { name: 'What anybody may find …' }).click();
  await form.getByLabel('Names of service APIs').fill('museum-exhibits');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByText('open', { exact: true }).waitFor();
  const found = await expect(200, call('GET', `${ccf}/open-api-disc/v1/service-apis`));
  check('what is open is found by anybody', found.body.discApis.some((one) => one.apiName === 'museum-exhibits'));

  // An owner's policy, in words, and a question about it.
  const resource = {
    resourceId: 'hall/7', resourceType: '3gpp_spatial_anchor', aefId: aef.id, apiId: api, owner: { apiInvokerId: ready.demo.invokers[0].apiInvokerId },
    visibility: 'LISTED', policyVersion: 1, defaultDecision: 'DENY',
    authPolicies: [
      { policyId: 'guides', subjects: [{ apiInvokerId: guide.id }], actions: ['discover', 'read'], effect: 'PERMIT' },
      { policyId: 'tours', subjects: ['ANY_ONBOARDED'], actions: ['update'], servInfoIds: ['tour'], effect: 'DENY' },
    ],
  };
  await expect(201, call('PUT', `${ccf}/capif-resource-auth/v1/${aef.id}/resources/hall:7`, { identity: aef, body: resource }));
  await go(page, `resources?aef=${aef.id}`);
  await page.getByRole('button', { name: 'hall/7' }).click();
  check('a policy is told in words', await seen(form.getByText(`API invoker ${guide.id} may discover and read it.`)));
  const told = await serious(page);
  check(`a resource is accessible ${told}`, told.length === 0);
  await shot(page, 'capif-resource');
  await form.getByRole('button', { name: 'May somebody …?' }).click();
  const question = page.getByRole('region', { name: 'May somebody do something with it?' });
  const answer = page.getByRole('status').filter({ hasText: 'policy of the owner' });
  for (const [action, says] of [['read', 'yes'], ['update', 'no']]) {
    await question.getByLabel('API invoker').fill(guide.id);
    await question.getByLabel('Action').selectOption(action);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await answer.getByText(says, { exact: true }).waitFor();
    check(`${action}: ${says}`, true);
  }
  await shot(page, 'capif-may');
  await page.getByRole('link', { name: 'Runs of solution #3' }).click();
  await page.waitForURL(/procedure=TR33\.721-S3/);
  check('the runs of solution #3 are one click away', (await page.getByLabel('Procedure').inputValue()) === 'TR33.721-S3');

  // A run under one trace of the client is one diagram, with the steps of the source from 0 to 11.
  const run = await solution3();
  await page.reload();
  await page.getByRole('list', { name: 'Runs' }).getByRole('link').filter({ hasText: run.slice(-8) }).click();
  const arrows = page.locator('svg g[role=button]');
  await arrows.first().waitFor();
  const steps = (await arrows.allTextContents()).map((text) => Number(/^\s*(\d+)/.exec(text)?.[1]));
  check(`a run of solution #3 is one diagram: ${steps}`, Array.from({ length: 12 }, (_, step) => step).every((step) => steps.includes(step)));
  check('in its order', steps.every((step, index) => index === 0 || step >= steps[index - 1]));
  const ofRun = await serious(page);
  check(`it is accessible ${ofRun}`, ofRun.length === 0);
  await shot(page, 'capif-run');

  // By keyboard alone: into the list, to one API invoker, to the dialog and out again.
  await go(page, 'invokers');
  await page.reload();
  await page.getByRole('button', { name: 'Museum guide' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Museum guide' }).waitFor();
  const offboard = page.getByRole('button', { name: 'Offboard …' });
  for (let tries = 0; tries < 20 && !(await offboard.evaluate((one) => one === document.activeElement)); tries += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await form.waitFor();
  check('a dialog asks before an API invoker is offboarded', await seen(form.getByText('needs a new enrolment')));
  await form.getByRole('button', { name: 'Offboard', exact: true }).press('Enter');
  await form.getByText('This act needs a login with a passkey').waitFor();
  check('a password is not enough to offboard', (await admin(page, `capif/invokers/${guide.id}`)).status === 200);
  await shot(page, 'capif-offboard');
  await page.keyboard.press('Escape');

  // An enrolment is taken back.
  await go(page, 'invokers');
  const late = await enrol(page, 'invoker', 'Somebody else');
  await page.getByRole('button', { name: 'Withdraw the enrolment of Somebody else' }).click();
  await form.getByRole('button', { name: 'Withdraw', exact: true }).click();
  await form.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Withdraw the enrolment of Somebody else' }).waitFor({ state: 'detached' });
  const { csr } = keyAndCsr();
  const body = { onboardingInformation: { apiInvokerPublicKey: csr }, notificationDestination: 'https://late.example/n' };
  await expect(401, call('POST', `${ccf}/api-invoker-management/v1/onboardedInvokers`, { body, bearer: late }));
  check('its secret opens nothing any more', true);

  // In the dark.
  await page.getByText('Dark', { exact: true }).click();
  for (const path of [...PAGES, `invokers/${guide.id}`, `service-apis/${api}`]) {
    await go(page, path);
    await wait(200);
    const inTheDark = await serious(page);
    check(`page ${path} is accessible in the dark ${inTheDark}`, inTheDark.length === 0);
    await shot(page, `capif-dark-${path.split('/')[0]}${path.includes('/') ? '-one' : ''}`);
  }
  check(`nothing comes from elsewhere ${wrong.elsewhere}`, wrong.elsewhere.length === 0);
  check(`the pages keep their own content rules ${wrong.policy}`, wrong.policy.length === 0);
  check(`no token reaches the browser ${wrong.tokens}`, wrong.tokens.length === 0);
  check(`no script fails ${wrong.thrown}`, wrong.thrown.length === 0);
  await context.close();

  // On a phone.
  const phone = await open({ viewport: { width: 360, height: 740 } });
  await login(phone.page, 'olga');
  const provider = (await admin(phone.page, 'capif/providers?limit=1000')).body.items.find((one) => one.apiProvName === 'Museum');
  for (const path of [...PAGES, `invokers/${guide.id}`, `providers/${provider.registrationId}`, `service-apis/${api}`]) {
    await go(phone.page, path);
    await wait(200);
    check(`page ${path} fits a phone`, await fits(phone.page));
    await shot(phone.page, `capif-phone-${path.split('/')[0]}${path.includes('/') ? '-one' : ''}`);
  }
  await phone.context.close();
} finally {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
