// Passkeys in a real browser with an authenticator: added by password, used at the login form, removed.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { authenticator, check, keyOf, ready, user } from './lib.mjs';

const arrivals = [];
const application = createServer((request, answer) => {
  if (request.url.startsWith('/cb')) arrivals.push(new URL(request.url, 'http://127.0.0.1'));
  answer.end('back at the application');
});
await new Promise((listening) => application.listen(0, '127.0.0.1', listening));
const redirectUri = `http://127.0.0.1:${application.address().port}/cb`;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.METASEAL_SHOTS;

const request = (state, acr) => {
  const url = new URL('/authorize', ready.urls.sim);
  url.search = new URLSearchParams({
    response_type: 'code', client_id: 'ue-bearer', redirect_uri: redirectUri, state, nonce: 'n-0S6_WzA2Mj',
    scope: 'openid 3gpp:seal:san.read 3gpp:seal:san.discover', acr_values: acr, resource: ready.urls.san,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  return url.href;
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', `--ignore-certificate-errors-spki-list=${await keyOf(ready.urls.sim)}`],
});
try {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const violations = [];
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && violations.push(message.text()));
  page.on('pageerror', (error) => violations.push(error.message));
  const device = await authenticator(page);
  const kept = device.kept;
  const accessible = async (what) => {
    const found = await page.evaluate(`(() => { ${axe}; return axe.run(document); })()`);
    const serious = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id);
    check(`${what}: an accessibility checker finds nothing serious ${serious}`, serious.length === 0);
    check(`${what}: it fits a phone`, await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  };
  const signIn = async () => {
    await page.goto(`${ready.urls.sim}/passkeys`);
    await page.getByLabel('User name').fill('alice');
    await page.getByLabel('Password').fill(user('alice').password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  await signIn();
  await page.getByRole('button', { name: 'Add a passkey' }).waitFor();
  await accessible('page of passkeys');
  await page.getByLabel('Name of the new passkey').fill('my phone');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('The passkey was added.').waitFor();
  check('the authenticator keeps one', (await kept()).length === 1);
  check('and the page names it', await page.getByText('my phone').isVisible());
  if (shots) await page.screenshot({ path: `${shots}/passkeys.png` });
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('This device has a passkey for you already.').waitFor();
  check('a device has one for an account', (await kept()).length === 1);

  for (const [state, acr] of [['first', '3gpp:acr:password'], ['second', 'phr']]) {
    await page.goto(request(state, acr));
    check(`${acr}: a password is ${acr === 'phr' ? 'not ' : ''}asked for`, (await page.getByLabel('Password').count() > 0) === (acr !== 'phr'));
    await accessible(`login form for ${acr}`);
    if (shots) await page.screenshot({ path: `${shots}/passkey-login-${state}.png` });
    await page.getByRole('button', { name: 'Use a passkey and allow' }).click();
    await page.waitForURL(/127\.0\.0\.1.*\/cb/);
    const arrived = arrivals.at(-1).searchParams;
    check(`${acr}: the browser arrives with a code`, Boolean(arrived.get('code')) && arrived.get('state') === state);
  }

  // A device that does not recognise its user gives nothing away.
  await device.recognises(false);
  await page.goto(request('third', 'phr'));
  await page.getByRole('button', { name: 'Use a passkey and allow' }).click();
  await page.getByText('No passkey was used.').waitFor();
  await device.recognises(true);

  // The password opens the page no more; the passkey does.
  await signIn();
  await page.getByText('This account has a passkey.').waitFor();
  await accessible('refusal of a password');
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await page.getByRole('button', { name: 'Remove my phone' }).click();
  await page.getByText('The passkey was removed.').waitFor();
  await page.goto(request('fourth', 'phr'));
  await page.getByRole('button', { name: 'Use a passkey and allow' }).click();
  await page.getByRole('alert').waitFor();
  check('a passkey that was removed is good no more', arrivals.length === 2);
  check(`the pages keep their own content rules ${violations}`, violations.length === 0);
} finally {
  await browser.close();
  application.close();
}
