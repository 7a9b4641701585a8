import type { Page } from '@playwright/test';
import { csr } from '../support/csr.ts';
import { type Outside, outside } from '../support/outside.ts';
import { signIn } from '../support/people.ts';
import { expect, test as base } from '../support/test.ts';

const PATH = '/.well-known/pki-validation/fileauth.txt';

/** Tests with an outside of their own, which the portal looks at. */
const test = base.extend<{ outer: Outside }>({
  outer: async ({}, use) => {
    const outer = await outside();
    await use(outer);
    outer.stop();
  },
  environment: async ({ outer }, use) => use(outer.environment),
});

/** The value of a fact of the page. */
async function fact(page: Page, term: string): Promise<string> {
  const value = page.locator('dt', { hasText: new RegExp(`^${term}$`) }).locator('xpath=following-sibling::dd[1]');
  const code = value.locator('code');
  await value.waitFor();
  return (await ((await code.count()) > 0 ? code : value).innerText()).trim();
}

async function add(page: Page, name: string): Promise<void> {
  await page.goto('/certificates/domains/new');
  await page.getByLabel('Domain', { exact: true }).fill(name);
  await page.getByLabel('Organization', { exact: true }).selectOption({ label: 'Example Corp' });
  await page.getByRole('button', { name: 'Add domain' }).click();
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible();
}

async function request(page: Page, name: string): Promise<void> {
  await page.goto('/certificates/request');
  await page.getByLabel('Product').selectOption('ssl_plus');
  await page.getByLabel('Organization').selectOption({ label: 'Example Corp' });
  await page.getByLabel('CSR', { exact: true }).fill(await csr([name]));
  await page.getByRole('button', { name: 'Submit request' }).click();
}

test('an HTTP file validates a domain, for its own name only', async ({ page, portal, outer }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'administrator');
  await add(page, 'file.test');
  const own = page.url();
  expect(await fact(page, 'URL')).toBe(`http://file.test${PATH}`);
  const token = await fact(page, 'Content');
  expect(token).toBe(await fact(page, 'Value'));
  expect(token.length).toBeGreaterThan(30);

  const check = page.getByRole('button', { name: 'Check the HTTP file' });
  await check.click();
  await expect(page.getByRole('alert')).toContainText('file.test answered with the status 404 instead of 200. Serve exactly the token');
  outer.serve(`file.test${PATH}`, `a page of one's own ${token}`);
  await check.click();
  await expect(page.getByRole('alert')).toContainText('what it holds is not the token alone');
  await expect(page.getByText("a page of one's own"), 'nothing that was met is shown').toHaveCount(0);
  expect(await fact(page, 'Covers')).toBe('—');

  outer.serve(`file.test${PATH}`, `${token}\n`);
  await check.click();
  await expect(page.getByText('The token was found in the file: this name is validated.')).toBeVisible();
  await expect(page.getByText('Validated', { exact: true })).toBeVisible();
  expect(await fact(page, 'Control shown by')).toBe('a file on the web server');
  expect(await fact(page, 'Covers')).toBe('This name only');
  await page.goto('/certificates/domains');
  await expect(page.getByRole('row').filter({ hasText: 'file.test' })).toContainText('This name only');
  await expect(page.getByRole('row').filter({ hasText: 'example.com' }).first()).toContainText('This name and all below it');

  await request(page, 'www.file.test');
  await expect(page.getByRole('alert')).toContainText('by an HTTP file covers this name only');
  await request(page, 'file.test');
  await expect(page.getByText('The certificate was issued.')).toBeVisible();

  await page.goto(own);
  await page.getByRole('button', { name: 'Confirm control yourself again' }).click();
  await expect(page.getByText('The domain is validated.')).toBeVisible();
  expect(await fact(page, 'Covers')).toBe('This name and all below it');
  await expect(check, 'a file would take names away').toHaveCount(0);
  await expect(page.getByText('Withdraw it first if it is to cover this name only.')).toBeVisible();
});

test('a new token takes the place of the old one', async ({ page, outer }) => {
  await signIn(page, 'administrator');
  await add(page, 'again.test');
  const old = await fact(page, 'Content');
  expect(await fact(page, 'Good until')).toMatch(/^\d+ \w+ \d{4} \d+ days left$/);
  await page.getByRole('button', { name: 'Make a new token' }).click();
  await expect(page.getByText('The domain has a new token.')).toBeVisible();
  const token = await fact(page, 'Content');
  expect(token).not.toBe(old);
  const check = page.getByRole('button', { name: 'Check the HTTP file' });
  outer.serve(`again.test${PATH}`, old);
  await check.click();
  await expect(page.getByRole('alert')).toContainText('what it holds is not the token alone');
  outer.serve(`again.test${PATH}`, token);
  await check.click();
  await expect(page.getByText('The token was found in the file')).toBeVisible();
});

test('only administrators look for tokens and see them', async ({ page, portal }) => {
  await signIn(page, 'manager');
  await page.goto('/certificates/domains');
  await page.getByRole('rowheader').getByRole('link').first().click();
  await expect(page.getByText('Covers', { exact: true })).toBeVisible();
  await expect(page.getByText('HTTP file')).toHaveCount(0);
  const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const sent = await page.request.post('/api/domains/check-file', {
    form: { id }, headers: { Origin: portal.url, Accept: 'text/html' }, maxRedirects: 0,
  });
  expect(sent.status()).toBe(403);
});
