import type { Page } from '@playwright/test';
import { alsoSignedIn, person, signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

const PASSWORD = 'harbour violet anvil';

/** The value in the block with this label. */
async function shownOnce(page: Page, label: string): Promise<string> {
  return (await page.getByRole('region', { name: label, exact: true }).innerText()).trim();
}

test('a person is added, chooses a password by a link that is good once, and is disabled', async ({ page, portal, browser, scripts }) => {
  await signIn(page, 'administrator');
  await page.goto('/account/users');
  await page.getByRole('link', { name: 'Add user' }).click();
  await page.getByLabel('E-mail').fill(person('manager').email);
  await page.getByLabel(/^Name/).fill('Nora New');
  await page.getByRole('button', { name: 'Add user' }).click();
  await expect(page.getByRole('alert')).toContainText('is here already');
  await expect(page.getByLabel(/^Name/), 'nothing typed is lost').toHaveValue('Nora New');
  await page.getByLabel('E-mail').fill('nora@example.com');
  await page.getByRole('radio', { name: 'Limited User' }).check();
  await page.getByRole('button', { name: 'Add user' }).click();
  await expect(page.getByRole('heading', { name: 'Nora New', level: 1 })).toBeVisible();
  const link = await shownOnce(page, 'One-time link');
  expect(link.startsWith(`${portal.url}/set-up/`)).toBe(true);
  await page.reload();
  await expect(page.getByText(link), 'shown once').toHaveCount(0);

  const context = await browser.newContext({ baseURL: portal.url, javaScriptEnabled: scripts });
  const nora = await context.newPage();
  await nora.goto(link);
  await nora.getByLabel('Password').fill('short');
  await nora.getByRole('button', { name: 'Save and sign in' }).click();
  await expect(nora.getByRole('alert')).toContainText('at least 12');
  await nora.getByLabel('Password').fill(PASSWORD);
  await nora.getByRole('button', { name: 'Save and sign in' }).click();
  await expect(nora.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();
  await nora.goto(link);
  await expect(nora.getByText('This link was used or is too old.')).toBeVisible();
  expect((await nora.goto('/account/users'))?.status()).toBe(403);

  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await page.getByRole('button', { name: 'Disable account' }).click();
  await expect(page.getByText('The account is disabled, and its sessions are over.')).toBeVisible();
  await nora.goto('/certificates/orders');
  await expect(nora.getByRole('heading', { name: 'Sign in', level: 1 })).toBeVisible();
});

test('the last administrator stays one', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/account/users?role=administrator');
  await page.getByRole('link', { name: person('administrator').name }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await page.getByRole('button', { name: 'Disable account' }).click();
  await expect(page.getByRole('alert')).toContainText('This is the last administrator.');
  await page.getByRole('radio', { name: 'Manager' }).check();
  await page.getByRole('button', { name: 'Change role' }).click();
  await expect(page.getByRole('alert')).toContainText('Make somebody else an administrator first.');
});

test('an API key is shown once, opens the API with its own role, and is revoked', async ({ page, request, portal }) => {
  await signIn(page, 'manager');
  await page.goto('/account/api-keys');
  await page.getByRole('link', { name: 'Add API key' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill('CI pipeline');
  await expect(page.getByLabel('Role', { exact: true }).getByRole('option', { name: 'Administrator' }), 'at most the own role').toHaveCount(0);
  await page.getByLabel('Role', { exact: true }).selectOption('Standard User');
  await page.getByRole('button', { name: 'Add API key' }).click();
  const key = await shownOnce(page, 'API key');
  expect(key).toMatch(/^cdk_/);
  const me = () => request.get(`${portal.url}/services/v2/user/me`, { headers: { 'X-DC-DEVKEY': key } });
  const answer = (await (await me()).json()) as { username: string; access_roles: { name: string }[] };
  expect([answer.username, answer.access_roles[0]?.name]).toEqual([person('manager').email, 'Standard User']);

  await page.reload();
  await expect(page.getByText(key)).toHaveCount(0);
  await page.getByRole('button', { name: 'Revoke CI pipeline' }).click();
  await expect(page.getByRole('heading', { name: 'Revoke CI pipeline', level: 1 })).toBeVisible();
  const asked = page.url();
  await page.getByRole('link', { name: 'Cancel' }).click();
  expect((await me()).status(), 'nothing is done before the second click').toBe(200);
  await page.getByRole('button', { name: 'Revoke CI pipeline' }).click();
  await page.getByRole('button', { name: 'Revoke API key' }).click();
  await expect(page.getByText('The API key is revoked.')).toBeVisible();
  expect((await me()).status()).toBe(401);
  await expect(page.getByRole('button', { name: 'Revoke CI pipeline' })).toHaveCount(0);
  await page.goto(asked);
  await expect(page.getByText('This API key is revoked')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Revoke API key' })).toHaveCount(0);
  expect((await page.goto(`${asked}000`))?.status()).toBe(404);
});

test('organizations and domains are added, validated, found and exported', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/organizations/new');
  await page.getByLabel('Legal name').fill('Nordlicht AG');
  await page.getByLabel('Country').fill('zz');
  await page.getByLabel('Town').fill('Kiel');
  await page.getByRole('button', { name: 'Add organization' }).click();
  await expect(page.getByRole('alert')).toContainText('two-letter code (ISO 3166)');
  await page.getByLabel('Country').fill('de');
  await page.getByLabel('Town').fill('Kiel');
  await page.getByLabel('Registration number').fill('HRB \u202e1234');
  await page.getByRole('button', { name: 'Add organization' }).click();
  await expect(page.getByRole('alert')).toContainText('none of them invisible');
  await expect(page.getByLabel('Town'), 'nothing typed is lost').toHaveValue('Kiel');
  await page.getByLabel('Registration number').fill('HRB 1234');
  await page.getByRole('button', { name: 'Add organization' }).click();
  await expect(page.getByText('Pending', { exact: true })).toBeVisible();
  await expect(page.getByRole('definition').filter({ hasText: 'HRB 1234' })).toBeVisible();
  await page.getByLabel('Town').fill('Flensburg');
  await page.getByRole('button', { name: 'Save details' }).click();
  await expect(page.getByText('The organization was changed.')).toBeVisible();
  await expect(page.getByRole('definition').filter({ hasText: 'Flensburg' })).toBeVisible();
  await page.getByRole('button', { name: 'Validate organization' }).click();
  await expect(page.getByText('The organization is validated.')).toBeVisible();

  await page.getByRole('link', { name: 'Add domain' }).click();
  await expect(page.getByLabel('Organization', { exact: true })).toHaveValue(/\d+/);
  await page.getByLabel('Domain', { exact: true }).fill('*.nordlicht.test');
  await page.getByRole('button', { name: 'Add domain' }).click();
  await expect(page.getByRole('alert')).toContainText('without the wildcard');
  await expect(page.getByLabel('Domain', { exact: true }), 'nothing typed is lost').toHaveValue('*.nordlicht.test');
  await page.getByLabel('Domain', { exact: true }).fill('nordlicht.test');
  await page.getByRole('button', { name: 'Add domain' }).click();
  await expect(page.getByRole('heading', { name: 'nordlicht.test', level: 1 })).toBeVisible();
  await page.getByRole('button', { name: 'Confirm control yourself' }).click();
  await expect(page.getByText('The domain is validated.')).toBeVisible();

  await page.goto('/certificates/domains');
  await page.getByRole('searchbox', { name: 'Domain' }).fill('NORDLICHT');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('row')).toHaveCount(2);
  const href = await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href');
  const csv = await (await page.request.get(href ?? '')).text();
  expect(csv).toContain('nordlicht.test,Nordlicht AG,');
  expect(csv.trim().split('\r\n')).toHaveLength(2);
});

test('the audit log tells who did what, and its hash chain is checked with one click', async ({ page, browser, portal, scripts }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/organizations/new');
  await page.getByLabel('Legal name').fill('Audited Ltd');
  await page.getByLabel('Country').fill('GB');
  await page.getByRole('button', { name: 'Add organization' }).click();
  await page.goto('/account/audit-log');
  await page.getByLabel('Action').selectOption('Organizations');
  await page.getByRole('searchbox', { name: 'Who' }).fill('ada admin');
  await page.getByRole('button', { name: 'Apply' }).click();
  const row = page.getByRole('row').filter({ hasText: 'Audited Ltd added' });
  await expect(row).toContainText('organization.added');
  await expect(row).toContainText('127.0.0.1');
  await page.getByRole('link', { name: 'Check hash chain' }).click();
  await expect(page.getByText('The hash chain is intact')).toBeVisible();

  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  expect((await manager.goto('/account/audit-log'))?.status()).toBe(403);
  expect((await manager.request.get('/account/audit-log.csv')).status()).toBe(403);
});

test('people change their own name, time zone and password', async ({ page, portal, browser, scripts }) => {
  const other = await alsoSignedIn(browser, portal, 'standard', scripts);
  await signIn(page, 'standard');
  await page.goto('/account/me');
  await page.getByLabel('Time zone').fill('Mars/Olympus');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('Europe/Berlin');
  await page.getByLabel('Time zone').fill('Asia/Tokyo');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Saved.')).toBeVisible();

  await page.getByLabel('Current password').fill(person('standard').password);
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('your other sessions are over')).toBeVisible();
  await other.goto('/account/me');
  await expect(other.getByRole('heading', { name: 'Sign in', level: 1 })).toBeVisible();
});
