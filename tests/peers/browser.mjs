// A browser at the console: what every test of its pages needs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { keyOf, ready, user } from './lib.mjs';

export const base = ready.urls.console;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.METASEAL_SHOTS;
export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-quic',
    '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    `--ignore-certificate-errors-spki-list=${await keyOf(ready.urls.sim)},${await keyOf(base)}`],
});

/** A page with everything on record that must not happen. */
export async function open(options) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  const wrong = { policy: [], elsewhere: [], tokens: [], thrown: [] };
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && wrong.policy.push(message.text()));
  page.on('pageerror', (error) => wrong.thrown.push(error.message));
  page.on('request', (request) => {
    const url = new URL(request.url());
    const known = [base, ready.urls.sim].includes(url.origin) || ['blob:', 'data:'].includes(url.protocol);
    if (!known) wrong.elsewhere.push(request.url());
  });
  page.on('response', async (response) => {
    if (!response.url().startsWith(`${base}/api/`)) return;
    const text = await response.text().catch(() => '');
    if (/eyJ[\w-]+\.[\w-]+\./.test(text)) wrong.tokens.push(response.url());
  });
  return { context, page, wrong };
}

export async function login(page, name) {
  await page.goto(`${base}/`);
  await page.getByRole('button', { name: 'Log in' }).click();
  await fill(page, name);
  await page.waitForSelector('#navigation', { state: 'attached' });
}

async function fill(page, name) {
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(user(name).password);
  await page.getByRole('button', { name: 'Sign in and allow' }).click();
}

export async function go(page, path) {
  await page.goto(`${base}/#/${path}`);
  await page.waitForSelector('h1');
  await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
}

export async function serious(page) {
  const found = await page.evaluate(`(() => { ${axe}; return axe.run(document); })()`);
  return found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes[0].target} ${one.nodes[0].failureSummary ?? ''}`.slice(0, 200));
}

/** Whether it comes to be seen; a busy machine takes its time. */
export const seen = (locator) => locator.first().waitFor().then(() => true, () => false);
export const shot = (page, name) => (shots ? page.screenshot({ path: `${shots}/console-${name}.png` }) : undefined);
export const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
export const admin = (page, path) =>
  page.evaluate(async (target) => {
    const answer = await fetch(`/api/admin/${target}`);
    return { status: answer.status, body: await answer.json().catch(() => null) };
  }, path);
