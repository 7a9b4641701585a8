import { begin, chooseProfile, duplicateByNames, endpointRow, installed, follow, next, scheduleAt, submit } from '../support/automation.ts';
import { signIn } from '../support/people.ts';
import type { Portal } from '../support/portal.ts';
import { certificates, newest, served } from '../support/tls.ts';
import { expect, test } from '../support/test.ts';
import type { Page } from '@playwright/test';

/** The day after tomorrow in UTC, as `YYYY-MM-DD`. */
function inTwoDays(): string {
  return new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
}

/** Schedules a duplicate of order 27182 on new-1 and answers with the event's path. */
async function scheduleDuplicate(page: Page, portal: Portal): Promise<string> {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await next(page, 'Installation');
  await scheduleAt(page, inTwoDays(), '03:00', 'UTC');
  await next(page, 'Review');
  await submit(page);
  await expect(page.locator('#event').getByText('Automation scheduled', { exact: true })).toBeVisible();
  expect(await certificates(portal, 27182, 'duplicate'), 'nothing is issued before').toHaveLength(0);
  return new URL(page.url()).pathname;
}

test('a scheduled duplicate runs at its time', async ({ page, portal, scripts }) => {
  const event = await scheduleDuplicate(page, portal);
  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'new-1')).toContainText('Automation scheduled');

  await portal.restart('+4d');
  await signIn(page, 'administrator');
  await page.goto(event);
  await installed(page, scripts);
  const duplicate = await newest(portal, 27182, 'duplicate');
  expect((await served(portal, 'new-1', 'api.example.com')).serial).toBe(duplicate.serial);
  expect(duplicate.not_after).toBe((await newest(portal, 27182, 'original')).not_after);
});

test('a scheduled duplicate can be canceled', async ({ page, portal }) => {
  await scheduleDuplicate(page, portal);
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await expect(page.locator('#event').getByText('Canceled', { exact: true })).toBeVisible();
});

test('D17: the approval step came back: the event ends as "Action required" and nothing is issued', async ({ page, portal, scripts }) => {
  const event = await scheduleDuplicate(page, portal);
  await portal.setting('approval_step', 'one_step');
  await portal.restart('+4d');
  await signIn(page, 'administrator');
  await page.goto(event);
  await follow(page, scripts, 'Action required');
  await expect(page.getByRole('alert')).toContainText('while certificate requests must be approved');
  expect(await certificates(portal, 27182, 'duplicate')).toHaveLength(0);
  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'new-1')).toContainText('Action required');
});
