// The login page in a real browser: by keyboard alone, at phone width, without script, and accessible.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { check, ready, user } from './lib.mjs';

const arrivals = [];
const application = createServer((request, answer) => {
  if (request.url.startsWith('/cb')) arrivals.push(new URL(request.url, 'http://127.0.0.1'));
  answer.end('back at the application');
});
await new Promise((listening) => application.listen(0, '127.0.0.1', listening));
const redirectUri = `http://127.0.0.1:${application.address().port}/cb`;

const request = (state) => {
  const url = new URL('/authorize', ready.urls.sim);
  url.search = new URLSearchParams({
    response_type: 'code', client_id: 'ue-bearer', redirect_uri: redirectUri, state, nonce: 'n-0S6_WzA2Mj',
    scope: 'openid 3gpp:seal:san.read 3gpp:seal:san.discover', acr_values: '3gpp:acr:password', resource: ready.urls.san,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  return url.href;
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  const violations = [];
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && violations.push(message.text()));

  const answer = await page.goto(request('first'));
  const headers = answer.headers();
  check('nobody may frame the page', headers['content-security-policy'].includes("frame-ancestors 'none'")
    && headers['x-frame-options'] === 'DENY');
  check('it takes nothing from elsewhere', headers['content-security-policy'].includes("default-src 'none'"));
  check('it fits a phone', await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
  check('every field has its label', await page.getByLabel('User name').isVisible() && await page.getByLabel('Password').isVisible());

  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const found = await page.evaluate(`(() => { ${axe}; return axe.run(document); })()`);
  const serious = found.violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => v.id);
  check(`an accessibility checker finds nothing serious ${serious}`, serious.length === 0 && found.passes.length > 5);

  await page.getByLabel('User name').focus();
  await page.keyboard.type('alice');
  await page.keyboard.press('Tab');
  await page.keyboard.type('not the password');
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
  check('a wrong password shows the form again, and says so', await page.getByRole('alert').isVisible());
  await page.screenshot({ path: process.env.METASEAL_SHOTS ? `${process.env.METASEAL_SHOTS}/login-refused.png` : undefined });

  await page.getByLabel('User name').fill('');
  await page.getByLabel('User name').focus();
  await page.keyboard.type('alice');
  await page.keyboard.press('Tab');
  await page.keyboard.type(user('alice').password);
  await page.keyboard.press('Enter');
  await page.waitForURL(/127\.0\.0\.1.*\/cb/);
  const first = arrivals.at(-1);
  check('the browser arrives at the application with a code', Boolean(first.searchParams.get('code')));
  check('and with state and issuer', first.searchParams.get('state') === 'first' && first.searchParams.get('iss') === ready.urls.sim);

  await page.goto(request('second'));
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.waitForURL(/127\.0\.0\.1.*\/cb/);
  check('a user can say no', arrivals.at(-1).searchParams.get('error') === 'access_denied');

  await page.goto(request('third'));
  await page.getByLabel('User name').fill('eve');
  await page.getByLabel('Password').fill(user('eve').password);
  await page.getByRole('button', { name: 'Sign in and allow' }).click();
  await page.waitForURL(/127\.0\.0\.1.*\/cb/);
  check('a user without the right is told so', arrivals.at(-1).searchParams.get('error') === 'access_denied');
  check(`the pages keep their own content rules ${violations}`, violations.length === 0);
} finally {
  await browser.close();
  application.close();
}
