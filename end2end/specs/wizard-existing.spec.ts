import { begin, chooseProfile, DUPLICATE, endpointRow, installed, next, submit } from '../support/automation.ts';
import { signIn } from '../support/people.ts';
import { certificates, expectDuplicateServed, newest, served } from '../support/tls.ts';
import { expect, test } from '../support/test.ts';

test.beforeEach(async ({ portal, page }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
});

test('D10: "Switch to DigiCert" installs a duplicate; the names come from the certificate in place', async ({ page, portal, scripts }) => {
  const other = await served(portal, 'mail-1', 'mail.example.com');
  expect(other.trusted, "another CA's").toBe(false);
  await begin(page, portal, 'mail-1', 'Switch to DigiCert');
  await chooseProfile(page, 'Standard SSL');
  await page.getByRole('link', { name: DUPLICATE }).click();
  await expect(page.getByLabel('Common names and/or SANs')).toHaveCount(0);
  await expect(page.getByText('there is nothing to type')).toBeVisible();
  await page.getByRole('radio', { name: 'Duplicate order 45678' }).check();
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await installed(page, scripts);
  await expectDuplicateServed(portal, 'mail-1', 45678);
  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'mail-1')).toContainText('45678');
});

test('"Switch to DigiCert" with a new certificate makes an order of its own', async ({ page, portal, scripts }) => {
  await begin(page, portal, 'mail-1', 'Switch to DigiCert');
  await chooseProfile(page, 'Standard SSL');
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await installed(page, scripts);
  expect(await certificates(portal, 45678, 'duplicate')).toHaveLength(0);
  const seen = await served(portal, 'mail-1', 'mail.example.com');
  expect(seen).toMatchObject({ trusted: true, names: ['mail.example.com'] });
  expect(seen.serial).not.toBe((await newest(portal, 45678, 'original')).serial);
});

test('D13: "Renew" of a certificate whose order was renewed installs a duplicate of the latest order', async ({ page, portal, scripts }) => {
  await begin(page, portal, 'www-2', 'Renew');
  await chooseProfile(page, 'Standard SSL');
  await next(page, 'Installation');
  await next(page, 'Review');
  await expect(page.getByText('A duplicate under the same order ID')).toBeVisible();
  await submit(page);
  await installed(page, scripts);
  await expectDuplicateServed(portal, 'www-2', 67890);
  const latest = await portal.order(67890);
  expect(latest.renews).toBe(12345);
  expect(latest.renewed_by, 'no further order').toBeNull();
  expect(await certificates(portal, 12345, 'duplicate')).toHaveLength(1);
});

test('"Renew" with a duplicate using an existing order installs one; the names come from the certificate in place', async ({ page, portal, scripts }) => {
  await begin(page, portal, 'www-2', 'Renew');
  await chooseProfile(page, 'Standard SSL');
  await page.getByRole('link', { name: DUPLICATE }).click();
  await expect(page.getByText('there is nothing to type')).toBeVisible();
  await page.getByRole('radio', { name: 'Duplicate order 67890' }).check();
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await installed(page, scripts);
  const seen = await expectDuplicateServed(portal, 'www-2', 67890);
  expect(seen.names).toEqual(['example.com', 'www.example.com']);
  expect((await portal.order(67890)).renewed_by, 'no further order').toBeNull();
});

test('"Get your next certificate" of a multi-year plan installs it: the same order ID and names', async ({ page, portal, scripts }) => {
  const before = await served(portal, 'portal-1', 'portal.example.com');
  await begin(page, portal, 'portal-1', 'Get your next certificate');
  await chooseProfile(page, 'Standard SSL, 3-year plan');
  await expect(page.getByText('The names come from the order')).toBeVisible();
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await installed(page, scripts);
  const reissue = await newest(portal, 98765, 'reissue');
  const seen = await served(portal, 'portal-1', 'portal.example.com');
  expect(seen).toEqual({ ...before, serial: reissue.serial, notAfter: reissue.not_after });
  expect(Date.parse(seen.notAfter)).toBeGreaterThan(Date.parse(before.notAfter));
});

test('D12, D13: an original and its duplicate become due: one new order, and one duplicate of it', async ({ page, portal, scripts }) => {
  for (const endpoint of ['shop-1', 'shop-2']) {
    await begin(page, portal, endpoint, 'Renew');
    await chooseProfile(page, 'Standard SSL');
    await next(page, 'Installation');
    await next(page, 'Review');
    await submit(page);
    await installed(page, scripts);
  }
  const renewal = (await portal.order(24680)).renewed_by;
  expect(renewal).not.toBeNull();
  const original = await newest(portal, Number(renewal), 'original');
  expect((await served(portal, 'shop-1', 'shop.example.com')).serial).toBe(original.serial);
  expect(await certificates(portal, Number(renewal), 'duplicate')).toHaveLength(1);
  await expectDuplicateServed(portal, 'shop-2', Number(renewal));
  expect((await portal.order(Number(renewal))).renewed_by).toBeNull();

  await page.goto(`/certificates/orders/${renewal}`);
  await expect(page.getByRole('link', { name: '24680' }).first()).toBeVisible();
});

test('D15, D18: auto-renew of both at the same moment makes one new order and one duplicate of it', async ({ page, portal }) => {
  await page.goto('/automation/endpoints');
  for (const endpoint of ['shop-1', 'shop-2']) {
    await page.getByRole('checkbox', { name: `Select ${portal.address(endpoint)}`, exact: true }).check();
  }
  await page.getByRole('button', { name: 'Enable auto-renew' }).click();
  await page.getByLabel('Automation profile').selectOption({ label: 'Standard SSL – Standard SSL for Example Corp' });
  await page.getByLabel('Days before expiry').fill('30');
  await page.getByRole('button', { name: 'Enable auto-renew' }).click();
  await expect(page.getByText('Auto-renew is on for 2 endpoints, in your name.')).toBeVisible();

  await expect
    .poll(
      async () => {
        const renewal = (await portal.order(24680)).renewed_by;
        if (renewal === null) return [];
        const { certificates: issued } = await portal.order(renewal);
        const seen = await Promise.all(['shop-1', 'shop-2'].map((one) => served(portal, one, 'shop.example.com')));
        const serials = seen.map((one) => one.serial);
        return issued.filter((one) => serials.includes(one.serial)).map((one) => one.kind).sort();
      },
      { timeout: 40_000 },
    )
    .toEqual(['duplicate', 'original']);
  const renewal = await portal.order(Number((await portal.order(24680)).renewed_by));
  expect(renewal.certificates, 'nothing was issued twice').toHaveLength(2);
});

test('D7: no duplicates in bulk, and a line says why; new certificates are', async ({ page, portal }) => {
  await page.goto('/automation/endpoints');
  await expect(page.getByText(/no duplicate certificates in bulk/)).toBeVisible();
  for (const endpoint of ['new-1', 'new-2']) {
    await page.getByRole('checkbox', { name: `Select ${portal.address(endpoint)}`, exact: true }).check();
  }
  await page.getByRole('button', { name: 'Request a certificate' }).click();
  await expect(page.getByRole('heading', { name: 'Request a certificate on 2 endpoints' })).toBeVisible();
  await expect(page.getByText(DUPLICATE)).toHaveCount(0);
  await expect(page.getByText(/no duplicate certificates in bulk/)).toBeVisible();
  const nameFor = (endpoint: string) => page.getByLabel(`Common name for ${portal.address(endpoint)}`, { exact: true });
  await nameFor('new-1').fill('not a name');
  await nameFor('new-2').fill('new-2.example.com');
  await page.getByRole('button', { name: 'Submit requests' }).click();
  await expect(page.getByRole('alert')).toBeFocused();
  await expect(nameFor('new-1')).toHaveAttribute('aria-invalid', 'true');
  await expect(nameFor('new-1')).toHaveAccessibleDescription(/not a name/);
  await expect(nameFor('new-2')).not.toHaveAttribute('aria-invalid', 'true');
  await page.getByRole('alert').getByRole('link').click();
  await expect(nameFor('new-1')).toBeFocused();
  await expect(nameFor('new-1')).toHaveValue('not a name');
  await expect(nameFor('new-2')).toHaveValue('new-2.example.com');
  await page.getByLabel('Automation profile').selectOption({ label: 'Standard SSL – Standard SSL for Example Corp' });
  for (const { name, says } of [{ name: '*.example.com', says: /does not hold wildcard names/ }, { name: ' ', says: /Enter the common name/ }]) {
    await nameFor('new-1').fill(name);
    await page.getByRole('button', { name: 'Submit requests' }).click();
    await expect(nameFor('new-1')).toHaveAccessibleDescription(says);
  }
  await nameFor('new-1').fill('new-1.example.com');
  await page.getByRole('button', { name: 'Submit requests' }).click();
  await expect(page.getByText('2 requests were submitted.')).toBeVisible();
  for (const endpoint of ['new-1', 'new-2']) {
    const name = `${endpoint}.example.com`;
    const trusted = async () => (await served(portal, endpoint, name).catch(() => ({ trusted: false }))).trusted;
    await expect.poll(trusted, { timeout: 40_000 }).toBe(true);
  }
});
