import { readFile } from 'node:fs/promises';
import { begin, chooseProfile, countEvents, endpointRow, follow, next, openHeld, requestHeld, scheduleAt } from '../support/automation.ts';
import { csr } from '../support/csr.ts';
import { endpointPath } from '../support/pages.ts';
import { alsoSignedIn, fillSignIn, person, signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(120_000);

const PASSWORD = 'harbour violet anvil';

test('an account is disabled and enabled, and gets a link for a new password', async ({ page, browser, portal, scripts }) => {
  await signIn(page, 'administrator');
  await page.goto('/account/users');
  await page.getByRole('link', { name: person('limited').name }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await page.getByRole('button', { name: 'Disable account' }).click();
  await expect(page.getByText('The account is disabled, and its sessions are over.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Make a link for a new password' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Enable account' }).click();
  await expect(page.getByText('The account is enabled.')).toBeVisible();
  await page.getByRole('button', { name: 'Make a link for a new password' }).click();
  const link = (await page.getByRole('region', { name: 'One-time link', exact: true }).innerText()).trim();

  const context = await browser.newContext({ baseURL: portal.url, javaScriptEnabled: scripts });
  const own = await context.newPage();
  await own.goto(link);
  await own.getByLabel('Password').fill(PASSWORD);
  await own.getByRole('button', { name: 'Save and sign in' }).click();
  await expect(own.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();
  await context.clearCookies();
  await own.goto('/sign-in');
  await fillSignIn(own, person('limited').email, person('limited').password);
  await expect(own.getByRole('alert'), 'the old password is over').toContainText('is not right');
});

test('a profile keeps a custom end as its day', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/profiles');
  await page.getByRole('rowheader').getByRole('link', { name: 'Private Wildcard' }).click();
  await page.getByRole('radio', { name: 'A custom end' }).check();
  await page.getByLabel('Last day (UTC)').fill('2099-12-31');
  await page.getByRole('button', { name: 'Save profile' }).click();
  const row = page.getByRole('row').filter({ hasText: 'Private Wildcard' });
  await expect(row).toContainText('Until 2099-12-31');
  await row.getByRole('rowheader').getByRole('link').click();
  await expect(page.getByRole('radio', { name: 'A custom end' })).toBeChecked();
  await expect(page.getByLabel('Last day (UTC)')).toHaveValue('2099-12-31');
});

test('validations are withdrawn, a profile is deleted, a request is canceled by who asked', async ({ page, browser, portal, scripts }) => {
  await signIn(page, 'administrator');
  for (const list of ['/certificates/domains?text=example.org', '/certificates/organizations?text=Northwind']) {
    await page.goto(list);
    await page.getByRole('rowheader').getByRole('link').first().click();
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
    await page.getByRole('button', { name: 'Withdraw validation' }).click();
    await expect(page.getByText('The validation was withdrawn.'), list).toBeVisible();
  }
  await page.goto('/automation/profiles');
  await page.getByRole('rowheader').getByRole('link', { name: 'Private Wildcard' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete profile' }).click();
  await expect(page.getByText('The profile was deleted.')).toBeVisible();
  await expect(page.getByRole('rowheader').getByRole('link', { name: 'Private Wildcard' })).toHaveCount(0);

  const asker = await alsoSignedIn(browser, portal, 'standard', scripts);
  await asker.goto('/certificates/requests?status=pending');
  const row = asker.getByRole('row').filter({ hasText: 'summer.example.com' });
  await row.getByRole('rowheader').getByRole('link').click();
  await asker.getByRole('button', { name: 'Cancel request' }).click();
  await expect(asker.getByText('The request was canceled.')).toBeVisible();
  await page.goto('/certificates/requests?status=pending');
  await expect(page.getByRole('row').filter({ hasText: 'campaign.example.com' })).toHaveCount(1);
  await expect(page.getByRole('row').filter({ hasText: 'summer.example.com' })).toHaveCount(0);
});

test('auto-renew is switched on with auto-replace, and off by its button', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  const path = await endpointPath(page, portal, 'shop-1');
  await page.goto(path);
  const section = page.locator('#auto-renew');
  await section.getByLabel('Automation profile').selectOption({ label: 'Standard SSL' });
  await section.getByLabel('Auto-replace revoked or missing certificates').check();
  await section.getByRole('button', { name: 'Enable auto-renew' }).click();
  await expect(page.getByText('Auto-renew is on, in your name.')).toBeVisible();
  await page.getByText('Change auto-renew').click();
  await expect(section.getByLabel('Auto-replace revoked or missing certificates')).toBeChecked();

  await page.goto('/automation/endpoints');
  const row = endpointRow(page, portal, 'shop-1');
  await row.getByRole('button', { name: /^Actions for/ }).click();
  await row.getByRole('button', { name: 'Disable auto-renew' }).click();
  await expect(page.getByText('Auto-renew is off. The certificate will expire unless somebody renews it.')).toBeVisible();
});

test('a profile is made on the way through the wizard, which goes on with it', async ({ page, portal }) => {
  await signIn(page, 'manager');
  await begin(page, portal, 'new-1', 'Request a certificate');
  const step = page.url();
  await page.getByRole('link', { name: 'Add new profile' }).click();
  await expect(page.getByRole('heading', { name: 'Add new profile', level: 1 })).toBeVisible();
  await page.getByLabel('Name', { exact: true }).fill('Shop servers');
  await page.getByRole('button', { name: 'Save profile' }).click();
  await expect(page.getByText('The profile was saved.')).toBeVisible();
  expect(page.url()).toBe(step);
  await chooseProfile(page, 'Shop servers');
  await expect(page.getByLabel('Common name', { exact: true })).toBeVisible();
});

test('"Enable auto-renew" and "Disable auto-renew" in bulk', async ({ page, portal }) => {
  await signIn(page, 'manager');
  const endpoints = ['intranet-1', 'api-1'];
  for (const [label, said, status] of [
    ['Enable auto-renew', 'On', 'Auto-renew scheduled'], ['Disable auto-renew', 'Off', 'Configured'],
  ] as const) {
    await page.goto('/automation/endpoints');
    for (const endpoint of endpoints) await endpointRow(page, portal, endpoint).getByRole('checkbox').check();
    await page.getByRole('form', { name: 'Selected endpoints' }).getByRole('button', { name: label, exact: true }).click();
    await expect(page.getByRole('heading', { name: `${label} on 2 endpoints`, level: 1 })).toBeVisible();
    if (said === 'On') await page.getByLabel('Automation profile').selectOption('1');
    await page.locator('main').getByRole('button', { name: label, exact: true }).click();
    await expect(page.getByRole('heading', { name: 'Automated IPs', level: 1 })).toBeVisible();
    for (const endpoint of endpoints) {
      const row = endpointRow(page, portal, endpoint);
      await expect(row.getByRole('cell').nth(8)).toContainText(said);
      await expect(row).toContainText(status);
    }
  }
});

test('"Renew" and "Switch to DigiCert" in bulk; D7: a bulk request for duplicates makes no event', async ({ page, portal }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  const day = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  for (const { action, endpoints } of [
    { action: 'Renew', endpoints: ['shop-1', 'shop-2'] },
    { action: 'Switch to DigiCert', endpoints: ['mail-1', 'legacy-1'] },
  ]) {
    await page.goto('/automation/endpoints');
    // One that it does not fit is left out, with why.
    for (const endpoint of [...endpoints, 'new-1']) await endpointRow(page, portal, endpoint).getByRole('checkbox').check();
    await page.getByRole('form', { name: 'Selected endpoints' }).getByRole('button', { name: action, exact: true }).click();
    await expect(page.getByRole('heading', { name: `${action} on 2 endpoints`, level: 1 })).toBeVisible();
    await expect(page.getByText('It does not fit the certificate that the endpoint serves now.')).toBeVisible();
    await page.getByLabel('Automation profile').selectOption('1');
    await scheduleAt(page, day, '03:00', 'UTC');
    await page.getByRole('button', { name: 'Submit requests' }).click();
    await expect(page.getByText('2 requests were submitted.')).toBeVisible();
    for (const endpoint of endpoints) {
      await expect(page.getByRole('rowheader').getByRole('link', { name: portal.address(endpoint), exact: true })).toBeVisible();
    }
  }

  const events = await countEvents(page);
  const [one, two] = [await endpointPath(page, portal, 'new-1'), await endpointPath(page, portal, 'new-2')];
  const id = (path: string) => path.split('/').at(-1) ?? '';
  const form = {
    act: 'request', key: 'bulk-of-duplicates', 'ids[0]': id(one), 'ids[1]': id(two), profile: '1', install: 'now',
    'names[0]': 'api.example.com', 'names[1]': 'api.example.com', obtain: 'duplicate', order: '27182',
  };
  const sent = await page.request.post('/api/endpoints/bulk-submit', { form, headers: { Origin: portal.url }, maxRedirects: 0 });
  expect(sent.status()).toBe(422);
  expect(await sent.text()).toContain('no duplicate certificates in bulk');
  expect(await countEvents(page), 'refused whole').toBe(events);
});

test('an event that was denied is run again by "Retry"; an agent is removed', async ({ page, portal, browser, scripts }) => {
  await requestHeld(page, portal, scripts);
  const manager = await openHeld(browser, portal, scripts);
  await manager.getByLabel('Comment').fill('Not this week.');
  await manager.getByRole('button', { name: 'Reject' }).click();
  await expect(manager.getByText('The request was rejected.')).toBeVisible();
  await follow(page, scripts, 'Approval denied');
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  await expect(page.getByText('The event was scheduled again.')).toBeVisible();
  await follow(page, scripts, 'Approval pending');

  await manager.goto('/automation/agents');
  await manager.getByRole('rowheader').getByRole('link').first().click();
  await manager.getByRole('button', { name: 'Remove', exact: true }).click();
  await manager.getByRole('button', { name: 'Remove agent' }).click();
  await expect(manager.getByText('The agent was removed. Its endpoints left the list; their history stays.')).toBeVisible();
  await manager.goto('/automation/endpoints');
  await expect(manager.getByText('No endpoints yet')).toBeVisible();
});

test('a certificate is downloaded with its chain, beside the days that it has left', async ({ page, portal }) => {
  await signIn(page, 'standard');
  await page.goto('/certificates/orders/27182');
  await page.getByRole('link', { name: 'Download', exact: true }).first().click();
  await expect(page.locator('main')).toContainText(/valid till \d+ \w+ \d{4} \d+ days left/);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download for nginx' }).first().click(),
  ]);
  const text = await readFile(await file.path(), 'utf8');
  expect(text.match(/BEGIN CERTIFICATE/g)?.length, 'the leaf and an intermediate').toBe(2);
  const pem = (await portal.order(27182)).certificates.at(-1)?.pem ?? 'none';
  expect(text).toContain(pem.trim());
});

test('@scripts a CSR file fills the field, and one that is too large is told', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/request');
  const text = await csr(['file.example.com']);
  // It shows once its script runs.
  await expect(page.getByText('Choose a CSR file')).toBeVisible();
  const choose = page.getByLabel('Choose a CSR file');
  await choose.setInputFiles({ name: 'site.csr', mimeType: 'application/pkcs10', buffer: Buffer.from(text) });
  await expect(page.getByLabel('CSR', { exact: true })).toHaveValue(text);
  await expect(page.locator('.csr-facts')).toContainText('file.example.com');
  await choose.setInputFiles({ name: 'disk.img', mimeType: 'text/plain', buffer: Buffer.alloc(140_000, 'a') });
  await expect(page.getByRole('status').filter({ hasText: 'disk.img is larger than 128 kB' })).toBeVisible();
  await expect(page.getByLabel('CSR', { exact: true })).toHaveValue(text);
});

test('times are shown in the time zone that a person chose, with UTC in the title', async ({ page }) => {
  await signIn(page, 'administrator');
  const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  for (const { zone, hours } of [{ zone: 'UTC', hours: 0 }, { zone: 'Asia/Tokyo', hours: 9 }]) {
    await page.goto('/account/me');
    await page.getByLabel('Time zone').fill(zone);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(page.getByText('Saved.')).toBeVisible();
    await page.goto('/account/audit-log');
    const first = page.getByRole('rowheader').locator('time').first();
    const at = (await first.getAttribute('datetime')) ?? '';
    const there = new Date(Date.parse(at) + hours * 3_600_000);
    const clock = there.toISOString().slice(11, 16);
    await expect(first).toHaveText(`${there.getUTCDate()} ${months[there.getUTCMonth()]} ${there.getUTCFullYear()}, ${clock}`);
    await expect(first).toHaveAttribute('title', at.replace('T', ' ').replace('Z', ' UTC'));
  }
});

test('additional names that were taken out do not come back with a step back', async ({ page, portal }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'SSL Wildcard');
  await page.getByRole('link', { name: 'Issue a duplicate certificate using an existing order' }).click();
  await page.getByLabel('Common names and/or SANs').fill('*.example.org a.example.org');
  await page.getByRole('button', { name: 'Find orders' }).click();
  const more = page.getByLabel(/^Additional SANs/);
  await expect(more).toHaveValue('a.example.org');
  await page.getByRole('radio', { name: 'Duplicate order 13579' }).check();
  await more.fill('');
  await next(page, 'Installation');
  await page.getByRole('link', { name: 'Back', exact: true }).click();
  await expect(page.getByRole('radio', { name: 'Duplicate order 13579' })).toBeChecked();
  await expect(more).toHaveValue('');
  await page.getByRole('button', { name: 'Find orders' }).click();
  await expect(more, 'a new search suggests again').toHaveValue('a.example.org');
});
