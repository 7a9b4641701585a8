import { alsoSignedIn, signIn } from '../support/people.ts';
import type { Portal } from '../support/portal.ts';
import { expect, test } from '../support/test.ts';

const BUTTON = { name: 'Back to the start' };

/** How often the portal said where it listens. */
function starts(portal: Portal): number {
  return portal.log().match(/^listening on http:/gm)?.length ?? 0;
}

test('"Back to the start" brings the first state back, at the same address', async ({ page, portal, browser, scripts }) => {
  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await expect(manager.getByText('This is a demonstration')).toBeVisible();
  await expect(manager.getByRole('button', BUTTON), 'for administrators only').toHaveCount(0);

  await signIn(page, 'administrator');
  await page.goto('/certificates/organizations');
  await expect(page.getByRole('row').filter({ hasText: 'Example Corp' })).toBeVisible();
  await portal.setting('approval_step', 'skip');
  await portal.command('org', 'add', 'Passing Ltd', '--country', 'US');
  await page.reload();
  await expect(page.getByText('Passing Ltd')).toBeVisible();

  await page.getByRole('button', BUTTON).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('heading')).toHaveText('Put the demonstration back to its start?');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.reload();
  await expect(page.getByText('Passing Ltd'), 'it asks first').toBeVisible();
  await page.getByRole('button', BUTTON).click();
  await dialog.getByRole('button', { name: 'Begin anew' }).click({ noWaitAfter: true });
  await expect.poll(() => starts(portal), { timeout: 50_000 }).toBe(2);
  expect(await portal.command('settings', 'get', 'approval_step')).toBe('one_step');
  await page.goto('/certificates/organizations');
  await expect(page.getByRole('heading', { name: 'Sign in', level: 1 }), 'sessions are gone, too').toBeVisible();
  await signIn(page, 'administrator');
  await page.goto('/certificates/organizations');
  await expect(page.getByRole('row').filter({ hasText: 'Example Corp' })).toBeVisible();
  await expect(page.getByText('Passing Ltd')).toHaveCount(0);
});
