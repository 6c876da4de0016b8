// The console in a real browser: login, every page, views in the eyes of somebody else, acts with a passkey, by
// keyboard alone, at phone width, in the dark, and accessible.
import { readFileSync } from 'node:fs';
import { admin, base, browser, fits, go, login, open, seen, serious, shot, wait } from './browser.mjs';
import { authenticator, check, user } from './lib.mjs';

const PAGES = ['', 'procedures', 'users', 'clients', 'services', 'policies', 'keys', 'audit', 'charging', 'health', 'apis'];

/** Asks to rotate the signing key. */
async function rotate(page) {
  await page.getByRole('button', { name: 'Rotate the signing key' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
}

/** Logs in with a passkey where the act has asked for one, and comes back to where it was. */
async function stepUp(page) {
  await page.getByRole('button', { name: 'Log in with a passkey' }).click();
  await page.getByRole('button', { name: 'Use a passkey and allow' }).click();
  await page.waitForURL(/#\/keys/);
}

try {
  const { context, page, wrong } = await open({ viewport: { width: 1280, height: 860 } });
  await page.goto(`${base}/`);
  check('nobody is let in without a login', await seen(page.getByRole('button', { name: 'Log in' })));
  check(`the first page is accessible ${await serious(page)}`, (await serious(page)).length === 0);
  await shot(page, 'welcome');
  await login(page, 'olga');
  const cookies = await context.cookies(base);
  const session = cookies.find((one) => one.name === '__Host-console');
  check('the session is a strict cookie that no script reads', session.httpOnly && session.secure && session.sameSite === 'Strict');

  for (const path of PAGES) {
    await go(page, path);
    await wait(path === '' ? 1500 : 300);
    const title = path || 'map';
    const faults = await serious(page);
    check(`page ${title} is accessible ${faults}`, faults.length === 0);
    check(`page ${title} shows no error`, (await page.getByRole('alert').count()) === 0);
    await shot(page, title);
  }

  // Map: everything for the operator; for somebody else only what a discovery would find.
  await go(page, '');
  const counted = async () => {
    await page.waitForFunction(() => /[1-9][\d,]* anchors|\b0 anchors/.test(document.querySelector('.sum')?.textContent ?? ''));
    return Number((await page.locator('.sum strong').first().textContent()).replaceAll(',', ''));
  };
  const all = await counted();
  check(`the operator sees every anchor: ${all}`, all >= 500);
  const everything = await admin(page, 'views/anchors?limit=1000');
  const [answered] = await Promise.all([
    page.waitForResponse((one) => one.url().includes('/views/anchors') && one.url().includes('user=alice')),
    page.getByLabel('View as').selectOption('user:alice'),
  ]);
  const text = await answered.text();
  const ids = new Set(JSON.parse(text).items.map((one) => one.anchorId));
  const hidden = everything.body.items.filter((one) => !ids.has(one.anchorId));
  check(`${hidden.length} anchors are hidden from alice`, hidden.length > 0 && (await counted()) === ids.size);
  check('what is hidden is not in what the browser was sent', hidden.every((one) => !text.includes(`"anchorId":${one.anchorId},`)));
  check('nor is who owns what is seen', !text.includes('"owner"'));
  await page.getByLabel('Find an anchor').fill('VAL service');
  await page.locator('aside').getByRole('button', { name: /^museum \d+/ }).first().click();
  check('a chosen anchor says by which rule it is seen', await seen(page.getByText('Seen by')));
  await shot(page, 'view-as');
  await page.getByLabel('Find an anchor').fill('');
  const canvas = page.locator('canvas.maplibregl-canvas');
  const middle = await page.evaluate(() => {
    const box = document.querySelector('canvas.maplibregl-canvas').getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  });
  // The map is on its way to the anchor, as long as the machine takes to draw that.
  const tip = page.locator('.tip').getByText(/seen by rule/);
  for (let tries = 0; tries < 40 && (await tip.count()) === 0; tries += 1) {
    await wait(500);
    await page.mouse.move(middle.x - 3 + (tries % 2), middle.y);
    await page.mouse.move(middle.x, middle.y);
  }
  check('hovering an anchor shows its rule', await seen(tip));
  await page.getByLabel('View as').selectOption('user:eve');
  await page.getByText('No policy entitles this subject').waitFor();
  check('eve, whom no policy entitles, sees nothing', (await counted()) === 0);
  await page.getByLabel('View as').selectOption('all');
  await page.waitForFunction((number) => document.querySelector('.sum strong')?.textContent === String(number), all);

  // Create by a click, change, take away: through the anchor server's own interface.
  await page.getByRole('button', { name: 'Show all' }).click();
  await wait(1200);
  await page.getByRole('button', { name: 'Add an anchor' }).click();
  await canvas.click({ position: { x: 420, y: 90 } });
  const form = page.getByRole('dialog');
  await form.getByLabel('Name', { exact: true }).fill('Bench by the pond');
  await form.getByLabel('VAL service').fill('museum-guide');
  await shot(page, 'create');
  const [created] = await Promise.all([
    page.waitForResponse((one) => one.request().method() === 'POST' && one.url().endsWith('/ssan-sanm/v1/anchors-lists')),
    form.getByRole('button', { name: 'Create' }).click(),
  ]);
  check('an anchor is created by a click on the map', created.status() === 201);
  await page.waitForFunction((number) => document.querySelector('.sum strong')?.textContent === String(number), all + 1);
  await page.locator('aside').getByRole('button', { name: /Bench by the pond/ }).click();
  await page.getByRole('button', { name: 'Edit this anchor' }).click();
  await form.getByLabel('Name', { exact: true }).fill('Bench by the lake');
  await form.getByLabel('Who may discover it').selectOption('RESTRICTED');
  await form.getByLabel('VAL users or UEs').fill('alice@campus.example');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.locator('aside').getByRole('button', { name: /Bench by the lake/ }).waitFor();
  const lake = async (query) =>
    (await admin(page, `views/anchors?limit=1000&${query}`)).body.items.find((one) => one.name === 'Bench by the lake');
  check('its rules hold: alice sees it', (await lake('client=ue-1&user=alice'))?.rules[0] === 'VAL client alice@campus.example');
  check('and bob does not', (await lake('client=ue-1&user=bob')) === undefined);
  await page.locator('aside').getByRole('button', { name: /Bench by the lake/ }).click();
  await page.getByRole('button', { name: 'Edit this anchor' }).click();
  await form.getByRole('button', { name: 'Delete this anchor' }).click();
  await form.getByRole('button', { name: 'Really delete it' }).click();
  await page.waitForFunction((number) => document.querySelector('.sum strong')?.textContent === String(number), all);
  check('it can be taken away again', true);

  // 3D view of a payload.
  await page.locator('aside').getByRole('button', { name: /^Map / }).first().click();
  await page.getByRole('button', { name: 'Look at it in 3D' }).click();
  await page.getByRole('dialog').getByText(/triangles/).waitFor();
  check('the payload of a map is shown in 3D', /[1-9]\d* triangles/.test(await page.getByRole('dialog').textContent()));
  await shot(page, 'model');
  await page.keyboard.press('Escape');

  // Procedures: a trace of its own, as a diagram with numbers, checks and verdict.
  await go(page, 'procedures?function=san&verdict=permit');
  await page.locator('ul[aria-label=Traces] a').filter({ hasText: 'TR33.721' }).first().click();
  await page.getByRole('group', { name: /Sequence diagram/ }).waitFor();
  const arrows = page.locator('svg g[role=button]');
  check('a trace is a sequence diagram with numbered steps', (await arrows.count()) >= 2 && /^\s*1/.test(await arrows.first().textContent()));
  await arrows.first().focus();
  await page.keyboard.press('ArrowDown');
  check('its arrows open by keyboard', (await arrows.nth(1).getAttribute('aria-pressed')) === 'true');
  check('the panel names step, message and checks', await seen(page.getByRole('heading', { name: 'Step 2' })));
  check('it says why in words', (await page.locator('.words').textContent()).includes('checks held'));
  await page.getByRole('button', { name: 'Replay' }).click();
  await wait(300);
  check('a replay begins at the first step', (await page.locator('svg g.faint').count()) >= 1);
  await page.getByRole('button', { name: 'Stop' }).click();
  const faults = await serious(page);
  check(`the diagram is accessible ${faults}`, faults.length === 0);
  await shot(page, 'trace');
  for (const [button, ending, begins] of [['Export SVG', '.svg', '<svg'], ['Export JSON', '.json', '{']]) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()]);
    const content = readFileSync(await download.path(), 'utf8');
    check(`${button} gives a file`, download.suggestedFilename().endsWith(ending) && content.startsWith(begins));
  }

  // Keys: rotation asks for a passkey, and leads to the page that adds the first.
  await go(page, 'keys');
  const before = (await admin(page, 'keys')).body.items.length;
  await rotate(page);
  await page.getByText('This act needs a login with a passkey').waitFor();
  check('a password is not enough to rotate a key', (await admin(page, 'keys')).body.items.length === before);
  const unfinished = await serious(page);
  check(`the refusal is accessible ${unfinished}`, unfinished.length === 0);
  await shot(page, 'step-up');
  const [adding] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'Add one' }).click()]);
  const device = await authenticator(adding);
  await adding.getByLabel('User name').fill('olga');
  await adding.getByLabel('Password').fill(user('olga').password);
  await adding.getByRole('button', { name: 'Sign in' }).click();
  await adding.getByRole('button', { name: 'Add a passkey' }).click();
  await adding.getByText('The passkey was added.').waitFor();
  check('the first passkey is added by password', (await device.kept()).length === 1);
  // The device is the same in this tab.
  const here = await authenticator(page);
  for (const credential of await device.kept()) await here.add(credential);
  await adding.close();
  await stepUp(page);
  await rotate(page);
  await page.getByText(/signs from/).first().waitFor();
  check('an administrator with a passkey rotates the signing key', (await admin(page, 'keys')).body.items.length === before + 1);

  // The clock goes on by five minutes: the same act asks for the passkey again.
  const clock = (seconds) =>
    page.evaluate(async (offsetS) => {
      const csrf = (await (await fetch('/api/session')).json()).csrf;
      const body = JSON.stringify({ offsetS });
      const headers = { 'x-csrf-token': csrf, 'content-type': 'application/json' };
      return (await fetch('/api/admin/test/clock', { method: 'PUT', headers, body })).status;
    }, seconds);
  check('the test clock moves', (await clock(301)) === 200);
  try {
    await rotate(page);
    await page.getByText('This act needs a login with a passkey of the last 5 minutes.').waitFor();
    check('an older login is asked for anew', true);
    await stepUp(page);
    await rotate(page);
    await page.getByText(/signs from/).first().waitFor();
    check('after it the act goes through, where it began', (await admin(page, 'keys')).body.items.length >= before + 1);
  } finally {
    await clock(0);
  }

  // Users: a table that opens, a form that says what is wrong.
  await go(page, 'users');
  await page.getByRole('button', { name: 'Add a user' }).click();
  await form.getByLabel('User name').fill('walter');
  await form.getByLabel('Password').fill('short');
  await form.getByLabel('VAL user id').fill('walter@campus.example');
  await form.getByRole('button', { name: 'Save' }).click();
  const told = form.getByRole('alert');
  await told.waitFor();
  check('a wrong member is named', (await told.textContent()).includes('password'));
  await form.getByLabel('Password').fill('four words that nobody guesses');
  await form.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'walter' }).waitFor();
  check('an account is added', (await admin(page, 'users/walter')).status === 200);

  // Audit: integrity, and who did it.
  await go(page, 'audit');
  await page.getByRole('button', { name: 'Check integrity' }).click();
  await page.getByText('Every chain is whole.').waitFor();
  check('the chains are checked', true);
  await page.getByLabel('Who').fill('olga');
  await page.getByRole('button', { name: 'Filter' }).click();
  await page.getByText('admin.key.rotate').first().waitFor();
  check('an operator is found by name, with the console that acted', (await page.locator('td[data-title=Who]').first().textContent()).endsWith('/console'));
  await shot(page, 'audit-filtered');

  // APIs
  await go(page, 'apis?of=san');
  await page.getByLabel('Find').fill('DiscSpatialAnchors');
  await page.locator('summary').first().click();
  check('the APIs are described from their documents', await seen(page.getByText('ServiceArea as JSON', { exact: false })));

  // By keyboard alone.
  await go(page, 'users');
  // The keyboard begins where the last click was, unless the page is a new one.
  await page.reload();
  await page.waitForSelector('h1');
  await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
  await page.keyboard.press('Tab');
  check('the first key leads to a way past the navigation', (await page.evaluate(() => document.activeElement.textContent)) === 'Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await form.waitFor();
  check('a dialog opens with the keyboard in its first field', (await page.evaluate(() => document.activeElement.tagName)) === 'INPUT');
  await page.keyboard.press('Escape');
  await form.waitFor({ state: 'detached' });
  check('Escape closes it', (await form.count()) === 0);

  // In the dark, by choice.
  await page.getByText('Dark', { exact: true }).click();
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  check('dark is dark', /rgb\((\d), ?(\d+)|rgb\(1\d, ?2\d/.test(await ground()) || (await ground()) === 'rgb(18, 23, 28)');
  for (const path of ['users', 'keys', '']) {
    await go(page, path);
    await wait(path === '' ? 1200 : 200);
    const inTheDark = await serious(page);
    check(`page ${path || 'map'} is accessible in the dark ${inTheDark}`, inTheDark.length === 0);
    await shot(page, `dark-${path || 'map'}`);
  }
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log in' }).waitFor();
  check('a logout ends the session', (await admin(page, 'health')).status === 401);
  check(`nothing comes from elsewhere ${wrong.elsewhere}`, wrong.elsewhere.length === 0);
  check(`the pages keep their own content rules ${wrong.policy}`, wrong.policy.length === 0);
  check(`no token reaches the browser ${wrong.tokens}`, wrong.tokens.length === 0);
  check(`no script fails ${wrong.thrown}`, wrong.thrown.length === 0);
  await context.close();

  // An auditor on a phone, in the dark by the system's choice.
  const phone = await open({ viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
  await login(phone.page, 'otto');
  check('the system chooses dark', (await phone.page.evaluate(() => document.documentElement.dataset.theme)) === 'dark');
  await phone.page.getByRole('button', { name: 'Menu' }).click();
  await shot(phone.page, 'phone-menu');
  await phone.page.getByRole('link', { name: 'Audit', exact: true }).click();
  for (const path of PAGES) {
    await go(phone.page, path);
    await wait(200);
    check(`page ${path || 'map'} fits a phone`, await fits(phone.page));
    await shot(phone.page, `phone-${path || 'map'}`);
  }
  await go(phone.page, 'users');
  const refused = await phone.page.getByRole('alert').textContent();
  check('an auditor is told what he lacks', refused.includes('roles do not allow'));
  check('and reads the audit', (await admin(phone.page, 'audit?limit=1')).status === 200);
  await phone.context.close();
} finally {
  await browser.close();
}
