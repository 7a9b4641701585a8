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

test('what has expired is found by its status, by its end, among names and as a file', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/orders');
  await page.getByLabel('Status').selectOption('Expired');
  await page.getByRole('button', { name: /^(Filter|Apply|Show)/ }).click();
  const numbers = page.getByRole('rowheader').getByRole('link');
  await expect(numbers).toHaveText(['500111', '500115', '600107', '500112', '500113']);
  await expect(page.getByRole('row').getByText('Expired', { exact: true })).toHaveCount(5);
  await page.getByRole('link', { name: 'Valid till' }).click();
  await expect(numbers).toHaveText(['500113', '500112', '600107', '500115', '500111']);

  await page.goto('/certificates/orders?status=expired&name=example.com');
  await expect(numbers).toHaveCount(4);
  await expect(page.getByRole('row').getByText('Expired', { exact: true })).toHaveCount(4);
  const csv = await (await page.request.get('/certificates/orders.csv?status=expired')).text();
  expect(csv.trim().split('\r\n')).toHaveLength(6);
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

test('a megabyte in a field is a fault at that field, nothing else that was typed is lost, and the portal goes on', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  const large = 'a'.repeat(1_000_000);
  const forms: Record<string, Record<string, string>> = {
    'session/sign-in': { email: large, password: 'x', next: '/', __page: '/sign-in' },
    'preferences/save': { version: '1', brand_word: large, __page: '/settings/preferences' },
    'orders/duplicate': { number: '27182', csr: large, note: 'For the second rack.', __page: '/certificates/orders/27182/duplicate' },
    'wizard/certificate': { endpoint: '1', state: large, obtain: 'new' },
    'requests/review': { id: '4', decision: 'reject', note: large },
  };
  for (const [action, form] of Object.entries(forms)) {
    const sent = await page.request.post(`/api/${action}`, { form, headers: { Origin: portal.url, Accept: 'text/html' }, maxRedirects: 0 });
    expect(sent.status(), action).toBe(422);
    const text = await sent.text();
    expect(text, action).toMatch(/longer than 128 kB|needs another look/);
    expect(text.length, 'the megabyte is not sent back').toBeLessThan(200_000);
  }
  // As a person sees it: the form's own limit is taken away, as an old browser has none.
  await page.goto('/certificates/orders/27182/duplicate');
  await page.getByLabel(/^Note to the reviewer/).fill('For the second rack.');
  const csr = page.getByLabel('CSR', { exact: true });
  await csr.evaluate((area, text) => { (area as HTMLTextAreaElement).value = text; }, large);
  await page.getByRole('button', { name: 'Request duplicate' }).click();
  await expect(csr).toHaveAttribute('aria-invalid', 'true');
  await expect(csr).toHaveValue('');
  await expect(page.locator('.field .fault').getByText('longer than 128 kB')).toBeVisible();
  await expect(page.getByLabel(/^Note to the reviewer/)).toHaveValue('For the second rack.');

  const more = Object.fromEntries(Array.from({ length: 3 }, (_, at) => [`field${at}`, large]));
  const sent = await page.request.post('/api/orders/duplicate', { form: more, headers: { Origin: portal.url, Accept: 'text/html' }, maxRedirects: 0 });
  expect(sent.status(), 'three megabytes').toBe(413);
  expect(await sent.text()).toContain('256 kB');
  await page.goto('/certificates/orders/27182');
  await expect(page.getByRole('heading', { name: 'Order 27182', level: 1 })).toBeVisible();
});

test('the dashboard counts the endpoints that its link shows, and the export says why', async ({ page }) => {
  await signIn(page, 'administrator');
  const figure = page.getByRole('link', { name: 'Automated IPs need action' });
  const count = Number.parseInt(await figure.innerText(), 10);
  const box = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Automation events that need action' }) });
  await expect(box.getByRole('listitem'), 'the box shows the same ones').toHaveCount(count);
  await expect(box.getByRole('listitem').filter({ hasText: 'intranet.example.com' })).toContainText('Revoked');
  await expect(box.getByRole('listitem').filter({ hasText: 'legacy.example.com' })).toContainText('Expired');
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

test('the dashboard counts certificates: a plan by its present one, as the list behind the bar does, and what was issued by four doors', async ({ page }) => {
  await signIn(page, 'administrator');
  const soon = page.getByRole('table', { name: 'Expiring soon' });
  await expect(soon.getByRole('row')).toHaveCount(9);
  const bar = page.getByRole('list', { name: 'Certificates by days to expiry' }).getByRole('link').filter({ hasText: '8–30 days' });
  const count = Number.parseInt(await bar.innerText(), 10);
  await bar.click();
  await expect(page.getByRole('rowheader')).toHaveCount(count);
  const plan = page.getByRole('row').filter({ has: page.getByRole('link', { name: '98765', exact: true }) });
  await expect(plan).toContainText(/its certificate: .* (19|20) days left/);
  const left = await page.getByRole('row').locator('td .days').allInnerTexts();
  const csv = await (await page.request.get('/certificates/orders.csv?status=issued&renewed=no&expires_from=8&expires=30&sort=expires')).text();
  const ends = csv.trim().split('\r\n').slice(1).map((line) => line.split(',').at(-1) ?? '');
  expect(ends).toEqual([...ends].sort());
  expect(ends, left.join()).toHaveLength(count);

  await page.goto('/');
  const doors = page.locator('ul.doors').getByRole('listitem');
  await expect(doors).toHaveText([/^Portal \d+$/, /^API \d+$/, /^ACME \d+$/, /^Automation \d+$/]);
});

test('a search by name is narrowed by all the other filters, and says in which order it is', async ({ page }) => {
  await signIn(page, 'administrator');
  for (const { query, rows } of [
    { query: 'name=example.com&number=24680', rows: ['24680'] },
    { query: 'name=example.com&number=27182&duplicates=yes', rows: [] },
    { query: 'name=shop&duplicates=yes', rows: ['24680'] },
    { query: 'name=portal.example&expires=30', rows: ['98765'] },
    { query: 'name=portal.example&expires=7', rows: [] },
    { query: 'name=www.example.com&renewed=yes', rows: ['12345'] },
  ]) {
    await page.goto(`/certificates/orders?${query}`);
    await expect(page.getByRole('rowheader'), query).toHaveText(rows);
  }
  await page.goto('/certificates/orders?name=example.com');
  await expect(page.getByText('Names that are what was typed stand first')).toBeVisible();
  const pages = page.getByRole('navigation', { name: 'Pages' });
  await pages.getByRole('link', { name: 'Next' }).click();
  await expect(page).toHaveURL(/after=/);
  await pages.getByRole('link', { name: 'First' }).click();
  await expect(page).not.toHaveURL(/after=/);
});
