import { begin, chooseProfile, follow, next, submit } from '../support/automation.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
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
  await portal.offerDuplicates();
  await signIn(page, 'standard');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByLabel('Common name').fill('held.example.com');
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await follow(page, scripts, 'Approval pending');
  const link = page.getByRole('link', { name: 'Show endpoint' });
  await link.focus();

  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await manager.goto('/certificates/requests?status=pending');
  await manager.getByRole('row').filter({ hasText: 'held.example.com' }).getByRole('rowheader').getByRole('link').click();
  await manager.getByRole('button', { name: 'Approve' }).click();
  await follow(page, scripts, 'Successfully installed');
  await expect(link).toBeFocused();
});
