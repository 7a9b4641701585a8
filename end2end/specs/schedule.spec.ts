import { begin, chooseProfile, DUPLICATE, duplicateByNames, endpointRow, installed, follow, next, scheduleAt, submit } from '../support/automation.ts';
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

/** Four days later all these events have run, and installed what they were for. */
async function installedFourDaysOn(page: Page, portal: Portal, scripts: boolean, events: string[]): Promise<void> {
  await portal.restart('+4d');
  await signIn(page, 'administrator');
  for (const event of events) {
    await page.goto(event);
    await installed(page, scripts);
  }
}

test('a scheduled duplicate runs at its time', async ({ page, portal, scripts }) => {
  const event = await scheduleDuplicate(page, portal);
  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'new-1')).toContainText('Automation scheduled');

  await installedFourDaysOn(page, portal, scripts, [event]);
  const duplicate = await newest(portal, 27182, 'duplicate');
  expect((await served(portal, 'new-1', 'api.example.com')).serial).toBe(duplicate.serial);
  expect(duplicate.not_after).toBe((await newest(portal, 27182, 'original')).not_after);
});

/** A scheduled request: on which endpoint, by which action and profile, and how the certificate is chosen. */
interface Wish {
  endpoint: string;
  action: string;
  profile: string;
  choose?: (page: Page) => Promise<void>;
}

/** Schedules it and answers with the event's path. */
async function schedule(page: Page, portal: Portal, wish: Wish): Promise<string> {
  await begin(page, portal, wish.endpoint, wish.action);
  await chooseProfile(page, wish.profile);
  await wish.choose?.(page);
  await next(page, 'Installation');
  await scheduleAt(page, inTwoDays(), '03:00', 'UTC');
  await next(page, 'Review');
  await submit(page);
  await expect(page.locator('#event').getByText('Automation scheduled', { exact: true })).toBeVisible();
  return new URL(page.url()).pathname;
}

test('"Request", "Renew" and "Switch to DigiCert", scheduled with new certificates and duplicates, run at their time', async ({ page, portal, scripts }) => {
  test.slow();
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  const wishes: Wish[] = [
    {
      endpoint: 'new-1', action: 'Request a certificate', profile: 'Standard SSL',
      choose: (page) => page.getByLabel('Common name').fill('later.example.com'),
    },
    { endpoint: 'www-2', action: 'Renew', profile: 'Standard SSL' },
    { endpoint: 'shop-1', action: 'Renew', profile: 'Standard SSL' },
    {
      endpoint: 'mail-1', action: 'Switch to DigiCert', profile: 'Standard SSL',
      choose: async (page) => {
        await page.getByRole('link', { name: DUPLICATE }).click();
        await page.getByRole('radio', { name: 'Duplicate order 45678' }).check();
      },
    },
    { endpoint: 'legacy-1', action: 'Switch to DigiCert', profile: 'Standard SSL' },
  ];
  const events: string[] = [];
  for (const wish of wishes) events.push(await schedule(page, portal, wish));
  const before = await Promise.all([served(portal, 'shop-1', 'shop.example.com'), served(portal, 'legacy-1', 'legacy.example.com')]);
  expect(await certificates(portal, 45678, 'duplicate'), 'nothing is issued before').toHaveLength(0);
  expect((await portal.order(24680)).renewed_by, 'nothing is renewed before').toBeNull();

  await installedFourDaysOn(page, portal, scripts, events);
  const fresh = await served(portal, 'new-1', 'later.example.com');
  expect(fresh.names).toEqual(['later.example.com']);
  const renewed = await served(portal, 'www-2', 'www.example.com');
  expect(renewed.serial, 'rule D13').toBe((await newest(portal, 67890, 'duplicate')).serial);
  const successor = await portal.order(Number((await portal.order(24680)).renewed_by));
  expect(successor.renews, 'rule D12').toBe(24680);
  expect((await served(portal, 'shop-1', 'shop.example.com')).serial).toBe(successor.certificates[0]?.serial);
  const switched = await served(portal, 'mail-1', 'mail.example.com');
  expect(switched.serial).toBe((await newest(portal, 45678, 'duplicate')).serial);
  const legacy = await served(portal, 'legacy-1', 'legacy.example.com');
  expect(legacy.names).toEqual(['legacy.example.com']);
  expect([before[0].serial, before[1].serial]).not.toContain(legacy.serial);
});

test('"Renew" with a profile of another product: the review and the new order keep the order\'s', async ({ page, portal, scripts }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  await begin(page, portal, 'shop-1', 'Renew');
  await chooseProfile(page, 'Private SSL');
  await next(page, 'Installation');
  await next(page, 'Review');
  await expect(page.getByText("The order's product and organization stay: Standard SSL for Example Corp.")).toBeVisible();
  await expect(page.getByRole('definition').filter({ hasText: /^Standard SSL/ })).toBeVisible();
  await submit(page);
  await installed(page, scripts);
  const { product, organization, renewed_by } = await portal.order(24680);
  expect(await portal.order(Number(renewed_by))).toMatchObject({ product, organization, renews: 24680 });
});

test('bulk requests that were scheduled run at their time', async ({ page, portal, scripts }) => {
  test.slow();
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  const all = [
    { action: 'Renew', endpoints: ['shop-1', 'shop-2'] },
    { action: 'Switch to DigiCert', endpoints: ['mail-1', 'legacy-1'] },
  ];
  for (const { action, endpoints } of all) {
    await page.goto('/automation/endpoints');
    for (const endpoint of endpoints) await endpointRow(page, portal, endpoint).getByRole('checkbox').check();
    await page.getByRole('form', { name: 'Selected endpoints' }).getByRole('button', { name: action, exact: true }).click();
    await page.getByLabel('Automation profile').selectOption('1');
    await scheduleAt(page, inTwoDays(), '03:00', 'UTC');
    await page.getByRole('button', { name: 'Submit requests' }).click();
    await expect(page.getByText('2 requests were submitted.')).toBeVisible();
  }
  const events = await page
    .getByRole('link', { name: /^#\d+$/ })
    .evaluateAll((links) => links.slice(0, 4).map((link) => link.getAttribute('href') ?? ''));
  expect((await portal.order(24680)).renewed_by, 'nothing is renewed before').toBeNull();

  await installedFourDaysOn(page, portal, scripts, events);
  const renewal = await portal.order(Number((await portal.order(24680)).renewed_by));
  const shops = await Promise.all(['shop-1', 'shop-2'].map((one) => served(portal, one, 'shop.example.com')));
  const kinds = shops.map((shop) => renewal.certificates.find((one) => one.serial === shop.serial)?.kind);
  expect(kinds.sort(), 'one new order, and one duplicate of it').toEqual(['duplicate', 'original']);
  expect((await served(portal, 'mail-1', 'mail.example.com')).names).toEqual(['mail.example.com']);
  expect((await served(portal, 'legacy-1', 'legacy.example.com')).notAfter > new Date().toISOString()).toBe(true);
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
