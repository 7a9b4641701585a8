import type { Page } from '@playwright/test';
import { begin, chooseProfile, DUPLICATE } from '../support/automation.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

const SKIP = 'Skip approval step: remove the approval step from your certificate order processes';
const SWITCH = 'Enable duplicate certificates in Automation';

async function openAdvanced(page: Page): Promise<void> {
  const skip = page.getByRole('radio', { name: SKIP });
  await expect(skip, '"Advanced Settings" is collapsed until clicked').toBeHidden();
  await page.getByText('Advanced Settings', { exact: true }).click();
  await expect(skip).toBeVisible();
}

test('D3, D4: while the approval step is on, a line stands in the place of the duplicate choice', async ({ page, portal, browser, scripts }) => {
  await signIn(page, 'administrator');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await expect(page.getByRole('link', { name: DUPLICATE })).toHaveCount(0);
  await expect(page.getByText(/not available in Automation while certificate requests must be approved/)).toBeVisible();
  await expect(page.getByText(/Certificate actions > Request duplicate/)).toBeVisible();
  await page.getByRole('link', { name: 'Open Preferences' }).click();
  await expect(page.getByRole('heading', { name: 'Preferences', level: 1 })).toBeVisible();

  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await begin(manager, portal, 'new-1', 'Request a certificate');
  await chooseProfile(manager, 'Standard SSL');
  await expect(manager.getByText(/not available in Automation/)).toBeVisible();
  await expect(manager.getByRole('link', { name: 'Open Preferences' }), 'for administrators only').toHaveCount(0);
});

test('D3: the line stands there for "Renew" and "Switch to DigiCert" too', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  for (const [endpoint, action] of [['shop-1', 'Renew'], ['mail-1', 'Switch to DigiCert']] as const) {
    await begin(page, portal, endpoint, action);
    await chooseProfile(page, 'Standard SSL');
    await expect(page.getByRole('link', { name: DUPLICATE }), action).toHaveCount(0);
    await expect(page.getByText(/not available in Automation while certificate requests must be approved/), action).toBeVisible();
    await expect(page.getByRole('link', { name: 'Open Preferences' }), action).toBeVisible();
  }
});

test('D5: "Skip approval step" and the duplicate switch open the choice, and the audit log tells', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  await page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: 'Preferences' }).click();
  await openAdvanced(page);
  await expect(page.getByRole('radio', { name: /^One step/ })).toBeChecked();
  await page.getByRole('radio', { name: SKIP }).check();
  await page.getByRole('checkbox', { name: SWITCH }).check();
  await page.getByRole('button', { name: 'Save Settings' }).click();
  await expect(page.getByText('Settings saved.')).toBeVisible();
  expect(await portal.command('settings', 'get', 'approval_step')).toBe('skip');
  expect(await portal.command('settings', 'get', 'duplicates_in_automation')).toBe('on');

  await openAdvanced(page);
  await expect(page.getByRole('radio', { name: SKIP })).toBeChecked();
  await expect(page.getByRole('checkbox', { name: SWITCH })).toBeChecked();

  await page.goto('/account/audit-log');
  const row = page.getByRole('row').filter({ hasText: 'admin@example.com' }).filter({ hasText: 'settings.changed' });
  await expect(row).toContainText('Approval Steps: one_step → skip');
  await expect(row).toContainText(`${SWITCH}: off → on`);

  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await expect(page.getByRole('link', { name: DUPLICATE })).toBeVisible();
});

test('D3: either switch alone does not open the choice', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  const closed = async (why: RegExp) => {
    await begin(page, portal, 'new-1', 'Request a certificate');
    await chooseProfile(page, 'Standard SSL');
    await expect(page.getByText(why)).toBeVisible();
    await expect(page.getByRole('link', { name: DUPLICATE })).toHaveCount(0);
  };
  await portal.setting('approval_step', 'skip');
  await closed(/not enabled in Automation for this account/);
  await portal.setting('approval_step', 'one_step');
  await portal.setting('duplicates_in_automation', 'on');
  await closed(/while certificate requests must be approved/);
});

test('D16, D19: not offered to Standard Users, nor for a DV product', async ({ page, portal, browser, scripts }) => {
  await portal.offerDuplicates();
  await signIn(page, 'manager');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'GeoTrust DV');
  await expect(page.getByRole('link', { name: DUPLICATE })).toHaveCount(0);

  const standard = await alsoSignedIn(browser, portal, 'standard', scripts);
  await begin(standard, portal, 'new-1', 'Request a certificate');
  await chooseProfile(standard, 'Standard SSL');
  await expect(standard.getByText(/not available in Automation to Standard and Limited Users/)).toBeVisible();
  await expect(standard.getByRole('link', { name: DUPLICATE })).toHaveCount(0);
});

test('a stale form is refused with the difference, and keeps what was typed', async ({ page, browser, portal, scripts }) => {
  await signIn(page, 'administrator');
  await page.goto('/settings/preferences');

  const other = await alsoSignedIn(browser, portal, 'administrator', scripts);
  await other.goto('/settings/preferences');
  await other.getByLabel('Notices after expiry, days').fill('14');
  await other.getByRole('button', { name: 'Save Settings' }).click();
  await expect(other.getByText('Settings saved.')).toBeVisible();

  await page.getByLabel('Further recipients of notices').fill('ops@example.com');
  await page.getByRole('button', { name: 'Save Settings' }).click();
  const refused = page.getByRole('alert').filter({ hasText: 'Somebody else saved these settings' });
  await expect(refused).toContainText('14');
  await expect(page.getByLabel('Further recipients of notices')).toHaveValue('ops@example.com');
  expect(await portal.command('settings', 'get', 'notice_emails')).toBe('');
});

test('a value that cannot be is refused at its field', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  await page.goto('/settings/preferences');
  const field = page.getByLabel('Notices before expiry, days');
  await field.fill('90, soon');
  await page.getByRole('button', { name: 'Save Settings' }).click();
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveValue('90, soon');
  await expect(field).toHaveAccessibleDescription(/days|number/i);
  expect(await portal.command('settings', 'get', 'notice_days_before')).not.toContain('soon');
});
