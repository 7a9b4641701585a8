import type { Page } from '@playwright/test';
import { csr, damaged, type Key } from '../support/csr.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
import { certificates, newest } from '../support/tls.ts';
import { expect, test } from '../support/test.ts';

/** Opens the order by the menu and chooses "Request duplicate". */
async function openDuplicate(page: Page, order: number): Promise<void> {
  await page.goto(`/certificates/orders/${order}`);
  await page.getByRole('link', { name: 'Request duplicate' }).click();
  await expect(page.getByRole('heading', { name: 'Request duplicate', level: 1 })).toBeVisible();
}

async function sendCsr(page: Page, pem: string): Promise<void> {
  await page.getByLabel('CSR', { exact: true }).fill(pem);
  await page.getByRole('button', { name: 'Request duplicate' }).click();
}

test('D4: a manual duplicate waits for another approver, and is in the history once approved', async ({ page, portal, browser, scripts }) => {
  await signIn(page, 'manager');
  await openDuplicate(page, 24680);
  await page.getByLabel('Note to the reviewer').fill('For the second shop server.');
  await sendCsr(page, await csr(['shop.example.com']));
  await expect(page.getByText(/waits for approval/).first()).toBeVisible();
  const request = new URL(page.url()).pathname;
  expect(request).toMatch(/^\/certificates\/requests\/\d+$/);
  await expect(page.getByRole('button', { name: 'Approve' }), 'no one approves their own request').toHaveCount(0);
  expect(await certificates(portal, 24680, 'duplicate')).toHaveLength(1);

  const own = await page.request.post('/api/requests/review', {
    form: { id: request.split('/').at(-1) ?? '', decision: 'approve' }, headers: { Origin: portal.url }, maxRedirects: 0,
  });
  expect(own.status()).toBe(422);

  const reviewer = await alsoSignedIn(browser, portal, 'administrator', scripts);
  await reviewer.goto('/certificates/requests');
  const id = request.split('/').at(-1) ?? '';
  await reviewer.getByRole('rowheader', { name: id, exact: true }).getByRole('link').click();
  await expect(reviewer.getByText('For the second shop server.')).toBeVisible();
  await reviewer.getByRole('button', { name: 'Approve' }).click();
  await expect(reviewer.getByText('Approved: the certificate was issued.')).toBeVisible();

  const duplicate = await newest(portal, 24680, 'duplicate');
  expect(await certificates(portal, 24680, 'duplicate')).toHaveLength(2);
  expect(duplicate.not_after).toBe((await newest(portal, 24680, 'original')).not_after);
  const history = reviewer.getByRole('region', { name: 'Certificates of order 24680' });
  await expect(history.getByRole('row').filter({ hasText: duplicate.serial })).toContainText('Max Manager');
});

test('a rejection needs a reason, which the requester reads', async ({ page, portal, browser, scripts }) => {
  await signIn(page, 'standard');
  await openDuplicate(page, 27182);
  // Keys that no product is sold with by name are told as they are.
  await sendCsr(page, await csr(['api.example.com'], 'p521'));
  await expect(page.getByText(/waits for approval/).first()).toBeVisible();
  const request = page.url();
  const key = page.locator('dl.facts > div').filter({ has: page.getByText('Key', { exact: true }) });
  await expect(key).toContainText('ECC P-521');

  const reviewer = await alsoSignedIn(browser, portal, 'manager', scripts);
  await reviewer.goto(request);
  await reviewer.getByRole('button', { name: 'Reject' }).click();
  await expect(reviewer.getByLabel('Comment')).toHaveAttribute('aria-invalid', 'true');
  await reviewer.getByLabel('Comment').fill('That server is switched off next week.');
  await reviewer.getByRole('button', { name: 'Reject' }).click();
  await expect(reviewer.getByText('The request was rejected.')).toBeVisible();

  await page.reload();
  await expect(page.getByText('That server is switched off next week.')).toBeVisible();
  expect(await certificates(portal, 27182, 'duplicate')).toHaveLength(0);
});

test("D5: with its checkbox on, an approver's own request is approved by itself", async ({ page, portal }) => {
  await portal.setting('auto_approve_approvers', 'on');
  await signIn(page, 'manager');
  await openDuplicate(page, 27182);
  await sendCsr(page, await csr(['api.example.com'], 'rsa2048'));
  await expect(page.getByText('The duplicate was issued.')).toBeVisible();
  expect(await certificates(portal, 27182, 'duplicate')).toHaveLength(1);
});

const BAD: { what: string; make: () => Promise<string>; says: RegExp }[] = [
  { what: 'text that is no CSR', make: async () => 'my key please', says: /CSR|PEM|BEGIN/ },
  { what: 'a damaged CSR', make: async () => damaged(await csr(['api.example.com'])), says: /signature|read|damaged/i },
  ...(['rsa1024', 'secp256k1'] as Key[]).map((key) => ({
    what: `a key of the kind ${key}`, make: () => csr(['api.example.com'], key), says: /key|curve|bits/i,
  })),
  { what: 'names outside the order', make: () => csr(['api.example.com', 'evil.example.com']), says: /evil\.example\.com/ },
];

test('bad CSRs are refused at the field, in words, and stay in it', async ({ page, portal }) => {
  await signIn(page, 'manager');
  await openDuplicate(page, 27182);
  const field = page.getByLabel('CSR', { exact: true });
  for (const { what, make, says } of BAD) {
    const pem = await make();
    await page.getByLabel('Note to the reviewer').fill(what);
    await sendCsr(page, pem);
    await expect(page.getByLabel('Note to the reviewer'), what).toHaveValue(what);
    await expect(field, what).toHaveAttribute('aria-invalid', 'true');
    await expect(field, what).toHaveAccessibleDescription(says);
    expect((await field.inputValue()).replaceAll('\r\n', '\n'), what).toBe(pem);
  }
  expect(await certificates(portal, 27182, 'duplicate')).toHaveLength(0);
});

test('D6: extra names are refused at their field, and taken under a wildcard', async ({ page, portal }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'administrator');
  await openDuplicate(page, 27182);
  await expect(page.getByLabel('Additional names')).toHaveCount(0);
  await openDuplicate(page, 13579);
  await page.getByLabel('Additional names').fill('www.example.com');
  await sendCsr(page, await csr(['*.example.org']));
  await expect(page.getByLabel('Additional names')).toHaveAttribute('aria-invalid', 'true');
  await page.getByLabel('Additional names').fill('deep.api.example.org');
  await page.getByRole('button', { name: 'Request duplicate' }).click();
  await expect(page.getByText('The duplicate was issued.')).toBeVisible();
  expect((await newest(portal, 13579, 'duplicate')).sans).toContain('deep.api.example.org');
});

test('sent twice it is one request', async ({ page, portal }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'administrator');
  await openDuplicate(page, 27182);
  await page.getByLabel('CSR', { exact: true }).fill(await csr(['api.example.com']));
  await page.getByRole('button', { name: 'Request duplicate' }).dblclick();
  await expect(page.getByRole('heading', { name: 'Order 27182', level: 1 })).toBeVisible();
  expect(await certificates(portal, 27182, 'duplicate')).toHaveLength(1);
});

test('a new certificate by hand', async ({ page, portal }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'administrator');
  await page.goto('/certificates/request');
  await page.getByLabel('Product').selectOption('ssl_plus');
  await page.getByLabel('Organization').selectOption({ label: 'Example Corp' });
  await page.getByLabel('CSR', { exact: true }).fill(await csr(['hand.example.com']));
  await page.getByRole('button', { name: 'Submit request' }).click();
  await expect(page.getByText('The certificate was issued.')).toBeVisible();
  const number = Number(new URL(page.url()).pathname.split('/').at(-1));
  expect(await portal.order(number)).toMatchObject({ common_name: 'hand.example.com', status: 'issued', product: 'ssl_plus' });
});

const BAD_NAMES = [
  { name: 'under_score.example.com', says: /under_score/ },
  { name: '192.0.2.7', says: /192\.0\.2\.7/ },
  { name: 'a.*.example.com', says: /a\.\*\.example\.com/ },
  { name: 'xn--zzzzzzz-.example.com', says: /xn--zzzzzzz-/ },
  { name: `${'x'.repeat(64)}.example.com`, says: /63/ },
  { name: '*.example.com', says: /does not hold wildcard names/ },
];

test('bad names are refused at their fields, by hand and in a reissue, and stay in them', async ({ page, portal }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'administrator');
  for (const { path, button, names } of [
    { path: '/certificates/request', button: 'Submit request', names: 'Names (SANs)' },
    { path: '/certificates/orders/27182/reissue', button: 'Reissue certificate', names: 'Names' },
  ]) {
    await page.goto(path);
    const [first, more] = [page.getByLabel('Common name'), page.getByLabel(new RegExp(`^${names.replace(/[()]/g, '\\$&')}( \\(optional\\))?$`))];
    await page.getByLabel('CSR', { exact: true }).fill(await csr(['api.example.com']));
    if (path.endsWith('request')) {
      await page.getByLabel('Product').selectOption('ssl_plus');
      await page.getByLabel('Organization').selectOption({ label: 'Example Corp' });
    }
    for (const { name, says } of BAD_NAMES) {
      for (const [faulty, other] of [[first, more], [more, first]] as const) {
        await other.fill('api.example.com');
        await faulty.fill(name);
        await page.getByRole('button', { name: button }).click();
        await expect(faulty, `${path} ${name}`).toHaveAttribute('aria-invalid', 'true');
        await expect(faulty).toHaveAccessibleDescription(says);
        await expect(faulty).toHaveValue(name);
        await expect(other, `${path} ${name}`).not.toHaveAttribute('aria-invalid', 'true');
      }
    }
  }
  expect((await portal.order(27182)).certificates, 'nothing was issued').toHaveLength(1);
});

test('requests by an order ID that is none are no requests', async ({ page }) => {
  await signIn(page, 'administrator');
  for (const typed of ['abc', '%2312345']) {
    await page.goto(`/certificates/requests?order=${typed}`);
    await expect(page.getByText('No request matches')).toBeVisible();
    const lines = (await (await page.request.get(`/certificates/requests.csv?order=${typed}`)).text()).trim().split('\r\n');
    expect(lines).toHaveLength(1);
  }
});

test('a revocation always waits for a second person', async ({ page, portal, browser, scripts }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'administrator');
  await page.goto('/certificates/orders/500101/revoke');
  await page.getByRole('radio', { name: /order/i }).first().check();
  await page.getByLabel('Reason').selectOption({ label: 'Superseded' });
  await page.getByRole('button', { name: 'Request revocation' }).click();
  await expect(page.getByText('The revocation waits for its second step')).toBeVisible();
  expect((await portal.order(500101)).status).toBe('issued');

  const reviewer = await alsoSignedIn(browser, portal, 'manager', scripts);
  await reviewer.goto(page.url());
  await reviewer.getByRole('button', { name: 'Approve' }).click();
  await expect(reviewer.getByText(/^Approved: .* revoked\.$/)).toBeVisible();
  expect((await portal.order(500101)).status).toBe('revoked');
});

test('two reviewers decide at once: the second one reads that nothing was done, and why', async ({ page, portal, browser, scripts }) => {
  const path = '/certificates/requests?status=pending';
  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await signIn(page, 'administrator');
  for (const reviewer of [page, manager]) {
    await reviewer.goto(path);
    await reviewer.getByRole('rowheader').first().getByRole('link').click();
    await expect(reviewer.getByRole('button', { name: 'Approve' })).toBeVisible();
  }
  await manager.getByRole('button', { name: 'Approve' }).click();
  await expect(manager.getByText('Approved: the certificate was issued.')).toBeVisible();
  await page.getByLabel('Comment').fill('Use the shared load balancer.\n<b>Ask the network team.</b>');
  await page.getByRole('button', { name: 'Reject' }).click();
  await expect(page.getByText('This was not done')).toBeVisible();
  await expect(page.getByText(/was decided already/)).toBeVisible();
  const written = page.getByText('Use the shared load balancer.');
  expect(await written.innerText(), 'nothing typed is lost').toBe('Use the shared load balancer.\n<b>Ask the network team.</b>');
});

test('of many names the first are shown, the others are a list to open', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/request');
  const names = Array.from({ length: 100 }, (_, at) => `n${at}.example.com`) as [string, ...string[]];
  await page.getByLabel('CSR', { exact: true }).fill(await csr(names));
  await page.getByLabel('Organization').selectOption({ label: 'Example Corp' });
  await page.getByRole('button', { name: 'Submit request' }).click();
  await expect(page.getByText('waits for approval').first()).toBeVisible();
  const last = page.getByText('n99.example.com');
  const more = page.getByText('and 90 more');
  await expect(more).toBeVisible();
  await expect(last).toBeHidden();
  await more.click();
  await expect(last).toBeVisible();
});
