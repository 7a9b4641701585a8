import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { endpointRow, follow, installed, openHeld, requestHeld } from '../support/automation.ts';
import type { Portal } from '../support/portal.ts';
import { served } from '../support/tls.ts';
import { expect, test } from '../support/test.ts';

/** A Standard User's request waits; a Manager opens it. */
async function held(page: Page, portal: Portal, browser: Browser, scripts: boolean): Promise<Page> {
  await requestHeld(page, portal, scripts);
  return openHeld(browser, portal, scripts);
}

test("D16: a Standard User's automation waits for a reviewer even where the step is skipped, then installs", async ({ page, portal, browser, scripts }) => {
  const manager = await held(page, portal, browser, scripts);
  await expect(served(portal, 'new-1', 'held.example.com')).rejects.toThrow();
  await manager.getByRole('button', { name: 'Approve' }).click();
  await expect(manager.getByText(/^Approved: /)).toBeVisible();
  await installed(page, scripts);
  expect(await served(portal, 'new-1', 'held.example.com')).toMatchObject({ names: ['held.example.com'], trusted: true });
});

test('an approval is for the key that the page showed, and no other', async ({ page, portal, browser, scripts }) => {
  const manager = await held(page, portal, browser, scripts);
  // As if the key had been changed since the page was opened.
  const seen = manager.locator('input[name="seen_key"]');
  const key = await seen.inputValue();
  await seen.evaluate((field) => { (field as HTMLInputElement).value = '0'.repeat(64); });
  await manager.getByRole('button', { name: 'Approve' }).click();
  await expect(manager.getByText('another key while you had it open')).toBeVisible();
  await expect(seen).toHaveValue(key);
  await manager.getByRole('button', { name: 'Approve' }).click();
  await expect(manager.getByText(/^Approved: /)).toBeVisible();
});

test('an event whose installation failed for good goes on by "Retry", with a new key', async ({ page, portal, browser, scripts }) => {
  const manager = await held(page, portal, browser, scripts);
  // The agent has made its key and waits for the certificate.
  const event = new URL(page.url()).pathname.split('/').at(-1) ?? '';
  const folder = portal.file('new-1', '');
  const key = readdirSync(folder).find((name) => name.startsWith('.certdeck-') && name.endsWith(`-${event}.key`));
  rmSync(join(folder, key ?? 'no pending key'));
  await manager.getByRole('button', { name: 'Approve' }).click();
  await expect(manager.getByText(/^Approved: /)).toBeVisible();
  await follow(page, scripts, 'Automation failed');
  await expect(page.locator('#event')).toContainText('is no longer on the host');
  await page.getByRole('button', { name: 'Retry', exact: true }).click();
  await expect(page.getByText('The event was scheduled again.')).toBeVisible();
  await follow(page, scripts, 'Approval pending');
});

test('a rejected automation ends as "Approval denied" with the reason', async ({ page, portal, browser, scripts }) => {
  const manager = await held(page, portal, browser, scripts);
  await manager.getByLabel('Comment').fill('Use the shared load balancer.');
  await manager.getByRole('button', { name: 'Reject' }).click();
  await expect(manager.getByText('The request was rejected.')).toBeVisible();
  await follow(page, scripts, 'Approval denied');
  await expect(page.locator('#event')).toContainText('Use the shared load balancer.');

  // The profile switched auto-renew on: it says that it does nothing more until somebody acts.
  await page.getByRole('link', { name: 'Show endpoint' }).click();
  await expect(page.locator('#auto-renew')).toContainText('It does nothing more by itself for now');
  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'new-1')).toContainText('waits for you');
});
