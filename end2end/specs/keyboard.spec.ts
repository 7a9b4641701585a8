import { follow, openHeld, requestHeld } from '../support/automation.ts';
import { csr } from '../support/csr.ts';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test('a menu opens, is walked and closes by keyboard', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/endpoints');
  const button = page.getByRole('button', { name: /^Actions for/ }).first();
  const menu = page.getByRole('list', { name: /^Actions for/ }).first();
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(menu).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(menu.getByRole('listitem').first().locator('a, button').first()).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(menu).toBeHidden();
  await expect(button).toBeFocused();
});

test('a dialog takes the keyboard and gives it back', async ({ page, portal }) => {
  await portal.command('acme-url', 'create', '--name', 'web', '--product', 'ssl_plus', '--organization', 'Example Corp', '--json');
  await signIn(page, 'administrator');
  await page.goto('/automation/acme-urls');
  await page.getByRole('rowheader').getByRole('link', { name: 'web' }).click();
  const button = page.getByRole('button', { name: 'Rotate', exact: true });
  const dialog = page.getByRole('dialog');
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(dialog.getByRole('button', { name: 'Close' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(button).toBeFocused();
});

test('after a refusal the keyboard is where it says why, and its links lead to the fields', async ({ page, portal }) => {
  await page.goto('/sign-in');
  await expect(page.getByLabel('E-mail')).toBeFocused();
  await page.getByLabel('E-mail').fill('admin@example.com');
  await page.getByLabel('Password').fill('a wrong guess');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeFocused();

  await signIn(page, 'administrator');
  await page.goto('/certificates/request');
  await page.getByLabel('CSR', { exact: true }).fill('no CSR');
  await page.getByRole('button', { name: 'Submit request' }).click();
  await expect(page.getByRole('alert')).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('CSR', { exact: true })).toBeFocused();

  await page.goto('/certificates/orders/67890/reissue');
  await page.getByLabel('CSR', { exact: true }).fill(await csr(['www.example.com']));
  await page.getByLabel('Names', { exact: true }).fill('www.example.com');
  await page.getByRole('button', { name: 'Reissue certificate' }).click();
  const box = page.getByLabel(/^I understand/);
  await expect(box).toHaveAttribute('aria-invalid', 'true');
  await expect(box).toHaveAccessibleDescription(/confirm|revoke/i);

  // Refused in a dialog, which stands in the page then.
  await portal.command('acme-url', 'create', '--name', 'web', '--product', 'ssl_plus', '--organization', 'Example Corp', '--json');
  await page.goto('/automation/acme-urls');
  await page.getByRole('rowheader').getByRole('link', { name: 'web' }).click();
  await page.getByRole('button', { name: 'Rotate', exact: true }).click();
  const form = page.getByRole('dialog').locator('form');
  await form.evaluate((one) => one.setAttribute('novalidate', ''));
  await form.locator('input[name=overlap_days]').fill('999');
  await form.getByRole('button').last().click();
  await expect(page.getByRole('alert')).toBeFocused();
});

test('an event that goes on leaves the keyboard where it is @scripts', async ({ page, portal, browser, scripts }) => {
  await requestHeld(page, portal, scripts);
  const link = page.getByRole('link', { name: 'Show endpoint' });
  await link.focus();

  const manager = await openHeld(browser, portal, scripts);
  await manager.getByRole('button', { name: 'Approve' }).click();
  await follow(page, scripts, 'Successfully installed');
  await expect(link).toBeFocused();
});
