import { mkdirSync, rmSync } from 'node:fs';
import { begin, chooseProfile, endpointRow, next, submit } from '../support/automation.ts';
import { csr } from '../support/csr.ts';
import { endpointPath } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test('a try that failed is told on the endpoint\'s page, with what to do and when the next one is', async ({ page, portal, scripts }) => {
  // A folder stands where the server's certificate belongs.
  const file = portal.file('shop-1', 'fullchain.pem');
  rmSync(file);
  mkdirSync(file);
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  await begin(page, portal, 'shop-1', 'Renew');
  await chooseProfile(page, 'Standard SSL');
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  const failed = page.getByText(/^Try 1 failed/);
  await expect(async () => {
    // Without scripts the page is loaded again to follow the event.
    if (!scripts && !(await failed.isVisible())) await page.reload();
    expect(await failed.isVisible()).toBe(true);
  }).toPass({ timeout: 40_000, intervals: [300] });

  await page.getByRole('link', { name: 'Show endpoint' }).click();
  const notice = page.locator('.notice').filter({ hasText: 'Try 1 failed' });
  await expect(notice).toContainText('The new files could not be put in place');
  await expect(notice).toContainText('What to do:');
  await expect(notice).toContainText('The next try is at');
  await expect(page.locator('#auto-renew')).toContainText('An event is under way');

  await page.goto('/automation/activity');
  await expect(page.getByRole('rowheader').getByRole('link', { name: portal.address('shop-1') })).toBeVisible();
});

test('an order says where its certificates are installed, by address', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  const path = await endpointPath(page, portal, 'www-2');
  await page.goto('/certificates/orders/12345');
  const history = page.getByRole('region', { name: 'Certificates of order 12345' });
  const place = history.getByRole('link', { name: portal.address('www-2'), exact: true });
  await expect(place).toHaveAttribute('href', path);
});

test('a profile that is in use is not deleted, and the page says why', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  await page.goto(`${await endpointPath(page, portal, 'shop-1')}#auto-renew`);
  await page.getByLabel('Automation profile').selectOption({ label: 'Standard SSL' });
  await page.locator('#auto-renew').getByRole('button', { name: 'Enable auto-renew' }).click();
  await expect(page.getByText('Auto-renew is on, in your name.')).toBeVisible();
  await page.goto('/automation/profiles');
  await page.getByRole('rowheader').getByRole('link', { name: 'Standard SSL', exact: true }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete profile' }).click();
  await expect(page.getByText('Endpoints renew with the profile "Standard SSL".')).toBeVisible();
});

test('profiles are filtered, sorted and exported as the list shows them', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/profiles?text=wildcard');
  const names = page.getByRole('rowheader').getByRole('link');
  await expect(names).toHaveText(['Private Wildcard', 'SSL Wildcard']);
  await page.getByRole('link', { name: 'Name', exact: true }).click();
  await expect(names).toHaveText(['SSL Wildcard', 'Private Wildcard']);
  const href = await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href');
  const lines = (await (await page.request.get(href ?? '')).text()).trim().split('\r\n');
  expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(['SSL Wildcard', 'Private Wildcard']);
});

test('a served certificate that was revoked, or will be, is told as such, and "Reissue" is the next step', async ({ page, portal }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'intranet-1').getByText('Revoked', { exact: true })).toBeVisible();
  await expect(endpointRow(page, portal, 'www-1').getByText('Revocation pending')).toHaveCount(0);

  await page.goto('/certificates/orders/67890/reissue');
  await page.getByLabel('CSR', { exact: true }).fill(await csr(['www.example.com']));
  await page.getByLabel('Names', { exact: true }).fill('www.example.com');
  await page.getByLabel(/^I understand/).check();
  await page.getByRole('button', { name: 'Reissue certificate' }).click();
  await expect(page.getByText('The certificate was reissued.')).toBeVisible();

  await page.goto('/automation/endpoints');
  const row = endpointRow(page, portal, 'www-1');
  await expect(row.getByText('Revocation pending')).toBeVisible();
  await expect(row.getByRole('link', { name: 'Reissue', exact: true })).toBeVisible();
  await page.goto(await endpointPath(page, portal, 'www-1'));
  await expect(page.getByText('Revocation pending')).toBeVisible();

  // The order's names, not those in place.
  await begin(page, portal, 'www-1', 'Reissue');
  await chooseProfile(page, 'Standard SSL');
  await expect(page.getByText('The names come from the order')).toBeVisible();
  await expect(page.getByText('example.com, www.example.com')).toHaveCount(0);
});
