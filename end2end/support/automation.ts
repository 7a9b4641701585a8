import type { Browser, Locator, Page } from '@playwright/test';
import { alsoSignedIn, signIn } from './people.ts';
import { expect } from './test.ts';
import type { Portal } from './portal.ts';

/** The choice of rule D9, in CertCentral's words. */
export const DUPLICATE = 'Issue a duplicate certificate using an existing order';
/** How long an agent may take to install, on a busy machine. */
const INSTALLED_WITHIN_MS = 40_000;

/** The row of an endpoint under "Automated IPs". */
export function endpointRow(page: Page, portal: Portal, endpoint: string): Locator {
  const link = page.getByRole('link', { name: portal.address(endpoint), exact: true });
  return page.getByRole('row').filter({ has: link });
}

/** Opens "Automated IPs" by the menu and presses the row's action. */
export async function begin(page: Page, portal: Portal, endpoint: string, action: string): Promise<void> {
  await page.goto('/automation/endpoints');
  const row = endpointRow(page, portal, endpoint);
  const link = row.getByRole('link', { name: action, exact: true });
  if (!(await link.isVisible())) await row.getByRole('button', { name: /^Actions for/ }).click();
  await link.click();
  await expect(page.getByRole('heading', { name: action, level: 1 })).toBeVisible();
}

/** "Continue" to the step named. */
export async function next(page: Page, step: string): Promise<void> {
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: step }).and(page.locator('[aria-current="step"]'))).toBeVisible();
}

/** Step 1. The default profile says so behind its name. */
export async function chooseProfile(page: Page, profile: string): Promise<void> {
  await page.getByRole('radio', { name: new RegExp(`^${profile}( \\(default\\))?$`) }).check();
  await next(page, 'Certificate');
}

/** Step 2, where names are asked for: searches for them and chooses the order. */
export async function duplicateByNames(page: Page, names: string, order: number): Promise<void> {
  await page.getByRole('link', { name: DUPLICATE }).click();
  await page.getByLabel('Common names and/or SANs').fill(names);
  await page.getByRole('button', { name: 'Find orders' }).click();
  await page.getByRole('radio', { name: `Duplicate order ${order}` }).check();
}

/** Step 3 with a time of one's own. */
export async function scheduleAt(page: Page, date: string, time: string, zone: string): Promise<void> {
  await page.getByRole('radio', { name: 'Schedule', exact: true }).check();
  await page.getByLabel('Date').fill(date);
  await page.getByLabel('Time', { exact: true }).fill(time);
  await page.getByLabel('Time zone').fill(zone);
}

/** Step 4. */
export async function submit(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Submit request' }).click();
  await expect(page.getByText('The request was submitted.')).toBeVisible();
}

/** Waits until the event's page shows the status: by itself where scripts run, else by loading it again. */
export async function follow(page: Page, scripts: boolean, status: string): Promise<void> {
  const badge = page.locator('#event').getByText(status, { exact: true });
  if (scripts) {
    await expect(badge).toBeVisible({ timeout: INSTALLED_WITHIN_MS });
    return;
  }
  await expect(async () => {
    if (!(await badge.isVisible())) await page.reload();
    expect(await badge.isVisible()).toBe(true);
  }).toPass({ timeout: INSTALLED_WITHIN_MS, intervals: [300] });
}

/** Waits until the event ended with the new certificate served. */
export async function installed(page: Page, scripts: boolean): Promise<void> {
  await follow(page, scripts, 'Successfully installed');
  for (const stage of ['CSR', 'Order', 'Issued', 'Installed', 'Verified']) {
    await expect(page.getByRole('list', { name: 'Progress' }).getByText(stage, { exact: true })).toBeVisible();
  }
}

/** How many automation events there are, by the list. */
export async function countEvents(page: Page): Promise<number> {
  await page.goto('/automation/activity');
  return page.getByRole('rowheader').count();
}

/** A Standard User requests a new certificate on new-1, and it waits for a reviewer. */
export async function requestHeld(page: Page, portal: Portal, scripts: boolean): Promise<void> {
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
}

/** A Manager opens the request of `requestHeld`. */
export async function openHeld(browser: Browser, portal: Portal, scripts: boolean): Promise<Page> {
  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await manager.goto('/certificates/requests?status=pending');
  const row = manager.getByRole('row').filter({ hasText: 'held.example.com' });
  await row.getByRole('rowheader').getByRole('link').click();
  return manager;
}
