import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

const run = promisify(execFile);

interface Credential {
  url: string;
  kid: string;
  key: string;
}

/** The value of a fact that can be copied. */
async function fact(page: Page, term: string): Promise<string> {
  const value = page.locator('dl.facts > div').filter({ has: page.getByText(term, { exact: true }) }).first();
  return (await value.locator('code').innerText()).trim();
}

async function credential(page: Page): Promise<Credential> {
  return { url: await fact(page, 'ACME Directory URL'), kid: await fact(page, 'KID'), key: await fact(page, 'HMAC key') };
}

async function addUrl(page: Page, name: string): Promise<Credential> {
  await page.goto('/automation/acme-urls');
  await page.getByRole('link', { name: 'Add ACME Directory URL' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Product', { exact: true }).selectOption('ssl_plus');
  await page.getByLabel('Organization', { exact: true }).selectOption({ label: 'Example Corp' });
  await page.getByLabel('Multi-year coverage length').selectOption('');
  await page.getByRole('button', { name: 'Add ACME Directory URL' }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
  return credential(page);
}

/** Runs lego as the page says, trusting the portal's root. */
async function lego(folder: string, root: string, given: Credential, name: string): Promise<void> {
  const words = ['--path', folder, '--server', given.url, '--eab', '--kid', given.kid, '--hmac', given.key];
  const rest = ['--accept-tos', '--email', 'admin@example.com', '--domains', name, '--http', 'run'];
  await run('lego', [...words, ...rest], { env: { ...process.env, LEGO_CA_CERTIFICATES: root } });
}

test('a URL is made, its secret is shown once, lego enrolls and duplicates, and the pages say why', async ({ page, portal }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'manager');
  const given = await addUrl(page, 'Web servers');
  const command = page.getByRole('region', { name: 'For certbot' });
  await expect(command).toContainText(`--server "${given.url}"`);
  await expect(command).toContainText(given.key);
  expect(page.url(), 'no secret in the address').not.toContain(given.key);
  await page.reload();
  await expect(page.getByText(given.key), 'shown once').toHaveCount(0);
  await page.goBack();
  await expect(page.getByText(given.key), 'shown once').toHaveCount(0);

  const name = 'lego.example.com';
  const folder = await mkdtemp(join(tmpdir(), 'certdeck-lego-'));
  await lego(folder, portal.rootFile(), given, name);
  await lego(folder, portal.rootFile(), given, name);
  await rm(folder, { recursive: true });

  await page.goto('/automation/acme-urls');
  await page.getByRole('link', { name: 'Web servers' }).click();
  await page.getByText('Why ACME order').first().click();
  await expect(page.getByText('A duplicate under the same order ID').first()).toBeVisible();
  await page.getByRole('link', { name: /^Order \d+$/ }).first().click();
  const history = page.getByRole('region', { name: /^Certificates of order/ });
  await expect(history.getByRole('row')).toHaveCount(3);
  await expect(page.getByText('A duplicate under the same order ID').first()).toBeVisible();
  await expect(page.getByText('A new order', { exact: true }).first()).toBeVisible();
});

test('a faulty form comes back with what was typed', async ({ page }) => {
  await signIn(page, 'manager');
  await page.goto('/automation/acme-urls/new');
  await page.getByLabel('Name', { exact: true }).fill('Faulty');
  await page.getByLabel('Allowed domains').fill('*.example.com');
  await page.getByLabel('Product', { exact: true }).selectOption('private_ssl_plus');
  await page.getByLabel('Multi-year coverage length').selectOption('3');
  await page.getByRole('button', { name: 'Add ACME Directory URL' }).click();
  await expect(page.getByRole('alert')).toContainText('enter example.com, not *.example.com');
  await expect(page.getByRole('alert')).toContainText('has no multi-year plan');
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Faulty');
  await expect(page.getByLabel('Allowed domains')).toHaveValue('*.example.com');
});

test('"Try a request" answers without issuing; rotating shows a new key, revoking ends all', async ({ page, portal }) => {
  await signIn(page, 'manager');
  const given = await addUrl(page, 'Trial');
  const before = await portal.command('order', 'list', '--json');
  await page.getByRole('link', { name: 'Try a request' }).click();
  await page.getByLabel('Names').fill('new.example.com');
  await page.getByRole('button', { name: 'Try it' }).click();
  await expect(page.getByText('A new order', { exact: true })).toBeVisible();
  await page.getByLabel('Action in the URL').selectOption('renew');
  await page.getByRole('button', { name: 'Try it' }).click();
  await expect(page.getByText('Refused by rule A2')).toBeVisible();
  await expect(page.getByText('put the whole URL in quotes')).toBeVisible();
  expect(await portal.command('order', 'list', '--json'), 'nothing was issued').toBe(before);

  await page.getByRole('link', { name: 'Trial' }).click();
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  await page.getByRole('button', { name: 'Rotate credential' }).click();
  const fresh = await credential(page);
  expect(fresh.kid).not.toBe(given.kid);
  expect(fresh.key).not.toBe(given.key);
  await expect(page.getByText('Being replaced')).toBeVisible();

  await page.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByRole('button', { name: 'Revoke ACME Directory URL' }).click();
  await expect(page.getByText('is revoked with its credentials and accounts')).toBeVisible();
  await page.goto('/automation/acme-urls?status=revoked');
  await expect(page.getByRole('row', { name: /Trial/ })).toContainText('Revoked');
});

test('people who are no approvers see none of it', async ({ page }) => {
  await signIn(page, 'standard');
  expect((await page.goto('/automation/acme-urls'))?.status()).toBe(403);
  expect((await page.goto('/automation/acme-urls/new'))?.status()).toBe(403);
});

test('a URL is rotated and revoked from the list; wildcards that are validated over DNS have commands for that', async ({ page }) => {
  await signIn(page, 'manager');
  await page.goto('/automation/acme-urls/new');
  await page.getByLabel('Name', { exact: true }).fill('Wildcards');
  await page.getByLabel('Product', { exact: true }).selectOption('wildcard_dv_geotrust');
  await page.getByLabel('Organization', { exact: true }).selectOption({ label: 'Example Corp' });
  await page.getByRole('button', { name: 'Add ACME Directory URL' }).click();
  await expect(page.getByText('Wildcards are validated over DNS')).toBeVisible();
  const command = page.getByRole('region', { name: 'For certbot' });
  await expect(command).toContainText('--preferred-challenges dns');
  await expect(command).not.toContainText('--standalone');
  const kid = await fact(page, 'KID');

  await page.goto('/automation/acme-urls');
  const row = page.getByRole('row').filter({ hasText: 'Wildcards' });
  await row.getByRole('button', { name: 'Rotate', exact: true }).click();
  await page.getByRole('dialog', { name: 'Rotate the credential of Wildcards?' }).getByRole('button', { name: 'Rotate credential' }).click();
  await expect(page.getByText('Copy the HMAC key now')).toBeVisible();
  expect(await fact(page, 'KID')).not.toBe(kid);
  await page.goto('/automation/acme-urls');
  await row.getByRole('button', { name: 'Revoke', exact: true }).click();
  await page.getByRole('dialog', { name: 'Revoke Wildcards?' }).getByRole('button', { name: 'Revoke ACME Directory URL' }).click();
  await expect(page.getByText('The ACME Directory URL is revoked')).toBeVisible();
  await page.goto('/automation/acme-urls');
  await expect(row).toContainText('Revoked');
  await expect(row.getByRole('button', { name: 'Rotate' })).toHaveCount(0);
});
