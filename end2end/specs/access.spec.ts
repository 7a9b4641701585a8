import { csr } from '../support/csr.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test("a Limited User sees only own orders; others' look like missing ones", async ({ page }) => {
  await signIn(page, 'limited');
  await page.goto('/certificates/orders');
  await expect(page.getByRole('link', { name: '12345' })).toHaveCount(0);

  for (const path of ['/certificates/orders/12345', '/certificates/orders/12345/duplicate', '/certificates/orders/99999999']) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(404);
    await expect(page.getByText('There is no such order, or it is not yours to see.')).toBeVisible();
  }
  for (const path of ['/automation/endpoints', '/account/users', '/account/audit-log']) {
    const answer = await page.goto(path);
    expect(answer?.status(), path).toBe(403);
    await expect(page.getByRole('heading', { name: 'Not allowed' })).toBeVisible();
  }
  expect((await page.request.get('/certificates/orders.csv')).ok()).toBe(true);
  expect(await (await page.request.get('/certificates/orders.csv')).text()).not.toContain('12345');
});

test("a Limited User's request is held; once issued, the order is theirs to see", async ({ page, browser, portal, scripts }) => {
  await portal.setting('approval_step', 'skip');
  await signIn(page, 'limited');
  await page.goto('/certificates/request');
  await page.getByLabel('Product').selectOption('ssl_plus');
  await page.getByLabel('Organization').selectOption({ label: 'Example Corp' });
  await page.getByLabel('CSR', { exact: true }).fill(await csr(['mine.example.com']));
  await page.getByRole('button', { name: 'Submit request' }).click();
  await expect(page.getByText(/waits for approval/).first(), 'rule D16').toBeVisible();

  const reviewer = await alsoSignedIn(browser, portal, 'manager', scripts);
  await reviewer.goto(page.url());
  await reviewer.getByRole('button', { name: 'Approve' }).click();
  await expect(reviewer.getByText('Approved: the certificate was issued.')).toBeVisible();

  await page.goto('/certificates/orders');
  await expect(page.getByRole('rowheader')).toHaveCount(1);
  await page.getByRole('rowheader').getByRole('link').click();
  await expect(page.getByText('mine.example.com').first()).toBeVisible();
});

test('whoever is not signed in gets no data', async ({ page }) => {
  for (const path of ['/', '/certificates/orders/12345', '/automation/endpoints', '/settings/preferences']) {
    await page.goto(path);
    await expect(page.getByRole('heading', { name: 'Sign in', level: 1 })).toBeVisible();
    await expect(page.getByText('example.com')).toHaveCount(0);
  }
  expect((await page.request.get('/certificates/orders.csv')).status()).toBe(401);
});

test('a serial, a name or an order number finds its order', async ({ page, portal }) => {
  await signIn(page, 'standard');
  const duplicate = (await portal.order(24680)).certificates.find((one) => one.kind === 'duplicate');
  for (const wanted of [duplicate?.serial ?? '', 'shop.example.com', '24680']) {
    await page.getByRole('searchbox').fill(wanted);
    await page.getByRole('searchbox').press('Enter');
    await expect(page.getByText('24680').first(), wanted).toBeVisible();
  }
});

test('lists filter, sort and page by their URL, and say what to do when empty', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/orders');
  await page.getByLabel('CN or SAN').fill('shop.example.com');
  await page.getByRole('button', { name: /^(Filter|Apply|Show)/ }).click();
  await expect(page.getByRole('rowheader', { name: '24680' })).toBeVisible();
  await expect(page).toHaveURL(/name=shop\.example\.com/);

  await page.goto('/certificates/orders?name=nothing.example.com');
  await expect(page.getByText(/No order/)).toBeVisible();

  await page.goto('/certificates/orders');
  await page.getByRole('columnheader', { name: 'Valid till' }).getByRole('link').click();
  await expect(page.getByRole('columnheader', { name: 'Valid till' })).toHaveAttribute('aria-sort', /ending$/);
  const first = await page.getByRole('rowheader').first().innerText();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Next' }).click();
  await expect(page.getByRole('rowheader').first()).not.toHaveText(first);
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Previous' }).click();
  await expect(page.getByRole('rowheader').first()).toHaveText(first);
});

test('a megabyte in a field is refused in words, and the portal goes on', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  const large = 'a'.repeat(1_000_000);
  const forms: Record<string, Record<string, string>> = {
    'session/sign-in': { email: large, password: 'x', next: '/' },
    'preferences/save': { version: '1', brand_word: large },
    'orders/duplicate': { number: '27182', csr: large },
    'wizard/certificate': { endpoint: '1', state: large, obtain: 'new' },
    'requests/review': { id: '4', decision: 'reject', note: large },
  };
  for (const [action, form] of Object.entries(forms)) {
    const sent = await page.request.post(`/api/${action}`, { form, headers: { Origin: portal.url, Accept: 'text/html' }, maxRedirects: 0 });
    expect(sent.status(), action).toBe(413);
    expect(await sent.text(), action).toContain('256 kB');
  }
  await page.goto('/certificates/orders/27182');
  await expect(page.getByRole('heading', { name: 'Order 27182', level: 1 })).toBeVisible();
});

test('the dashboard counts the endpoints that its link shows, and the export says why', async ({ page }) => {
  await signIn(page, 'administrator');
  const figure = page.getByRole('link', { name: 'Automated IPs need action' });
  const count = Number.parseInt(await figure.innerText(), 10);
  await figure.click();
  const rows = page.getByRole('table', { name: 'Automated IPs' }).getByRole('row');
  await expect(rows).toHaveCount(count + 1);
  await expect(page.getByLabel('Automation status')).toHaveValue('needs_action');
  await expect(rows.filter({ hasText: 'intranet.example.com' })).toContainText('Revoked');
  await expect(rows.filter({ hasText: 'legacy.example.com' })).toContainText('expired');
  await expect(rows.filter({ hasText: 'www.example.com' })).toHaveCount(0);

  const csv = await (await page.request.get('/automation/endpoints.csv')).text();
  const [head, ...lines] = csv.trim().split('\r\n');
  expect(head).toMatch(/,Certificate$/);
  expect(lines.find((line) => line.includes('intranet.example.com'))).toMatch(/,Revoked$/);
  expect(lines.find((line) => line.includes('shop.example.com'))).toMatch(/,Issued$/);
  expect(lines.find((line) => line.includes('legacy.example.com')), 'not ours').toMatch(/,$/);
  const needing = await (await page.request.get('/automation/endpoints.csv?status=needs_action')).text();
  expect(needing.trim().split('\r\n')).toHaveLength(count + 1);
});
