import { follow, openHeld, requestHeld } from '../support/automation.ts';
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

test('an event that goes on leaves the keyboard where it is @scripts', async ({ page, portal, browser, scripts }) => {
  await requestHeld(page, portal, scripts);
  const link = page.getByRole('link', { name: 'Show endpoint' });
  await link.focus();

  const manager = await openHeld(browser, portal, scripts);
  await manager.getByRole('button', { name: 'Approve' }).click();
  await follow(page, scripts, 'Successfully installed');
  await expect(link).toBeFocused();
});
