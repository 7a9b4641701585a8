import type { Browser, Page } from '@playwright/test';
import { begin, chooseProfile, follow, installed, next, submit } from '../support/automation.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
import type { Portal } from '../support/portal.ts';
import { served } from '../support/tls.ts';
import { expect, test } from '../support/test.ts';

/** A Standard User requests a new certificate on new-1; a Manager opens the request that waits. */
async function held(page: Page, portal: Portal, browser: Browser, scripts: boolean): Promise<Page> {
  await portal.offerDuplicates();
  await signIn(page, 'standard');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByLabel('Common name').fill('held.example.com');
  await next(page, 'Installation');
  await next(page, 'Review');
  await expect(page.getByText('The request will wait for a reviewer')).toBeVisible();
  await submit(page);
  await follow(page, scripts, 'Approval pending');

  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await manager.goto('/certificates/requests?status=pending');
  const row = manager.getByRole('row').filter({ hasText: 'held.example.com' });
  await row.getByRole('rowheader').getByRole('link').click();
  return manager;
}

test("D16: a Standard User's automation waits for a reviewer even where the step is skipped, then installs", async ({ page, portal, browser, scripts }) => {
  const manager = await held(page, portal, browser, scripts);
  await expect(served(portal, 'new-1', 'held.example.com')).rejects.toThrow();
  await manager.getByRole('button', { name: 'Approve' }).click();
  await expect(manager.getByText(/^Approved: /)).toBeVisible();
  await installed(page, scripts);
  expect(await served(portal, 'new-1', 'held.example.com')).toMatchObject({ names: ['held.example.com'], trusted: true });
});

test('a rejected automation ends as "Approval denied" with the reason', async ({ page, portal, browser, scripts }) => {
  const manager = await held(page, portal, browser, scripts);
  await manager.getByLabel('Comment').fill('Use the shared load balancer.');
  await manager.getByRole('button', { name: 'Reject' }).click();
  await expect(manager.getByText('The request was rejected.')).toBeVisible();
  await follow(page, scripts, 'Approval denied');
  await expect(page.locator('#event')).toContainText('Use the shared load balancer.');
});
