import { begin, chooseProfile, countEvents, DUPLICATE, duplicateByNames, endpointRow, installed, next, scheduleAt, submit } from '../support/automation.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
import { certificates, expectDuplicateServed, newest, opensslShows, served } from '../support/tls.ts';
import { expect, test } from '../support/test.ts';

test.beforeEach(async ({ portal, page }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
});

test('D9, D8, D11, D2: "Request a certificate" installs a duplicate of an order found by its name', async ({ page, portal, scripts }) => {
  const before = await certificates(portal, 27182, 'duplicate');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await next(page, 'Installation');
  await expect(page.getByLabel('Additional e-mails')).toHaveAccessibleDescription(/sends no mail yet: Activity shows/);
  await next(page, 'Review');

  const original = await newest(portal, 27182, 'original');
  await expect(page.getByText(original.not_after.replace('T', ' ').replace('Z', ' UTC')), 'to the second').toBeVisible();
  await submit(page);
  await installed(page, scripts);
  await expect(page.getByRole('link', { name: 'Order 27182' })).toBeVisible();

  expect(await certificates(portal, 27182, 'duplicate')).toHaveLength(before.length + 1);
  const seen = await expectDuplicateServed(portal, 'new-1', 27182);
  expect(seen.names).toEqual(['api.example.com']);
  expect(await opensslShows(portal, 'new-1')).toEqual({ serial: seen.serial, notAfter: original.not_after });
  expect((await served(portal, 'api-1', 'api.example.com')).serial, "the original's server is as it was").toBe(original.serial);

  await page.goto('/automation/endpoints');
  await expect(endpointRow(page, portal, 'new-1')).toContainText('27182');
  await page.goto('/certificates/orders/27182');
  const history = page.getByRole('region', { name: 'Certificates of order 27182' });
  await expect(history.getByRole('row').filter({ hasText: seen.serial })).toContainText('Duplicate');
});

test('D9: orders of another product or organization are not offered, and a new profile clears the chosen order', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Private SSL');
  await page.getByRole('link', { name: DUPLICATE }).click();
  await page.getByLabel('Common names and/or SANs').fill('api.example.com');
  await page.getByRole('button', { name: 'Find orders' }).click();
  await expect(page.getByRole('radio', { name: /^Duplicate order/ })).toHaveCount(0);
  await expect(page.getByText(/No order of this profile's product and organization/)).toBeVisible();

  await page.getByRole('link', { name: 'Change profile' }).click();
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'www.example.com', 12345);
  await next(page, 'Installation');
  await page.getByRole('link', { name: 'Automation profile' }).click();
  await chooseProfile(page, 'Standard SSL, 3-year plan');
  const choices = page.getByRole('radio', { name: /^Duplicate order/ });
  expect(await choices.count()).toBeGreaterThan(1);
  for (const choice of await choices.all()) await expect(choice).not.toBeChecked();
});

test('a name that is none is refused at the search field', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByRole('link', { name: DUPLICATE }).click();
  const field = page.getByLabel('Common names and/or SANs');
  await field.fill('bad_name!.example.com');
  await page.getByRole('button', { name: 'Find orders' }).click();
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveValue('bad_name!.example.com');
});

test('names are suggested as one types', { tag: '@scripts' }, async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByRole('link', { name: DUPLICATE }).click();
  const field = page.getByLabel('Common names and/or SANs');
  await expect(async () => {
    await field.fill('');
    await field.pressSequentially('shop');
    await expect(page.locator('datalist option[value="shop.example.com"]')).toBeAttached({ timeout: 1_000 });
  }).toPass();
});

test('a new certificate under an order of its own', async ({ page, portal, scripts }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  const names = page.getByLabel('Subject alternative names');
  await page.getByLabel('Common name').fill('fresh.example.com');
  await names.fill('under_score.example.com, *.*.example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(names).toHaveAttribute('aria-invalid', 'true');
  await expect(names).toHaveValue('under_score.example.com, *.*.example.com');
  await expect(page.getByLabel('Common name')).toHaveValue('fresh.example.com');

  await names.fill('');
  await next(page, 'Installation');
  await page.getByRole('radio', { name: 'Install as soon as it is issued' }).check();
  await next(page, 'Review');
  await submit(page);
  await installed(page, scripts);
  const order = /Order (\d+)/.exec(await page.getByRole('link', { name: /^Order \d+$/ }).innerText())?.[1];
  const original = await newest(portal, Number(order), 'original');
  const seen = await served(portal, 'new-1', 'fresh.example.com');
  expect(seen).toMatchObject({ serial: original.serial, notAfter: original.not_after, trusted: true });
});

test('names that the product does not hold, or that nobody validated, are refused at their field', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  const [first, more] = [page.getByLabel('Common name'), page.getByLabel('Subject alternative names')];
  for (const { common, sans, faulty, says } of [
    { common: '*.example.com', sans: '', faulty: first, says: /does not hold wildcard names/ },
    { common: 'fresh.example.com', sans: '*.example.com', faulty: more, says: /does not hold wildcard names|holds one name only/ },
  ]) {
    await first.fill(common);
    await more.fill(sans);
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page.getByRole('alert')).toBeFocused();
    await expect(faulty, `${common} ${sans}`).toHaveAttribute('aria-invalid', 'true');
    await expect(faulty).toHaveAccessibleDescription(says);
    await expect(first).toHaveValue(common);
    await expect(more).toHaveValue(sans);
  }
});

test('an order that has to be chosen is asked for at the table, to screen readers too', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByRole('link', { name: DUPLICATE }).click();
  await page.getByLabel('Common names and/or SANs').fill('www.example.com');
  await page.getByRole('button', { name: 'Find orders' }).click();
  await expect(page.getByRole('radio', { name: /^Duplicate order/ })).not.toHaveCount(1);
  await page.getByRole('button', { name: 'Continue' }).click();
  const group = page.getByRole('radiogroup', { name: 'Choose an order' });
  await expect(group).toHaveAttribute('aria-invalid', 'true');
  await expect(group).toHaveAccessibleDescription('Choose the order to duplicate.');
});

test('a fault of another step leads there, and what is too much for one request is told at its field', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByLabel('Common name').fill('fresh.example.com');
  await next(page, 'Installation');
  const [state, note, long] = [page.locator('main input[name=state]'), page.getByLabel('Note'), '界'.repeat(1_900)];
  const carry = (text: string) => state.evaluate((field, value) => void ((field as HTMLInputElement).value = value), text);
  await note.fill(long);
  await carry(`${await state.inputValue()}&more=${'x'.repeat(40_000)}`);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(note).toHaveAttribute('aria-invalid', 'true');
  await expect(note).toHaveAccessibleDescription(/bytes more than one request takes/);
  await expect(note).toHaveValue(long);

  await carry('');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('alert').getByRole('link', { name: 'Choose an automation profile.' }).click();
  await expect(page.getByRole('radio', { name: /^Standard SSL( \(default\))?$/ })).toBeChecked();
});

test('sent twice it is one event', async ({ page, portal, scripts }) => {
  await begin(page, portal, 'new-2', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await next(page, 'Installation');
  await next(page, 'Review');
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Submit request' }) });
  const fields = await form.locator('input').evaluateAll((inputs) =>
    Object.fromEntries((inputs as HTMLInputElement[]).map((input) => [input.name, input.value])),
  );
  await page.getByRole('button', { name: 'Submit request' }).dblclick();
  // Not before the answer is there: without scripts the page is loaded again, which would break it off.
  await page.waitForURL(/\/automation\/activity\/\d+$/);
  await installed(page, scripts);
  const event = new URL(page.url()).pathname;

  const again = await page.request.post('/api/wizard/submit', { form: fields, headers: { Origin: portal.url }, maxRedirects: 0 });
  expect([302, 303]).toContain(again.status());
  expect(again.headers()['location']).toContain(event);
  expect(await countEvents(page)).toBe(1);
});

test('an order that is revoked under the wizard is refused at the end, in words', async ({ page, portal, browser, scripts }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await next(page, 'Installation');
  await next(page, 'Review');

  const manager = await alsoSignedIn(browser, portal, 'manager', scripts);
  await manager.goto('/certificates/orders/27182/revoke');
  await manager.getByRole('radio', { name: 'Order 27182' }).check();
  await manager.getByRole('button', { name: 'Request revocation' }).click();
  await expect(manager.getByText('The revocation waits for its second step')).toBeVisible();
  const id = new URL(manager.url()).pathname.split('/').at(-1) ?? '';
  await page.request.post('/api/requests/review', { form: { id, decision: 'approve' }, headers: { Origin: portal.url } });
  expect((await portal.order(27182)).status).toBe('revoked');

  await page.getByRole('button', { name: 'Submit request' }).click();
  await expect(page.getByRole('alert').first()).toContainText(/revoked/);
  expect(await countEvents(page)).toBe(0);
});

test('D6: SSL Plus takes no further names, also not when they are sent anyway', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await expect(page.getByRole('textbox', { name: 'Additional SANs' })).toHaveCount(0);
  await expect(page.getByText(/has exactly the names of its order.*rule D6/)).toBeVisible();

  const url = new URL(page.url());
  const form = {
    endpoint: url.pathname.split('/')[3] ?? '', state: url.search.slice(1), obtain: 'duplicate',
    order: '27182', extra_names: 'more.example.com', __page: url.pathname + url.search,
  };
  const sent = await page.request.post('/api/wizard/certificate', { form, headers: { Origin: portal.url, Accept: 'text/html' }, maxRedirects: 0 });
  expect(sent.status()).toBe(422);
  // The field is not offered, so the words stand above the form.
  const said = /role="alert"[^]*?<\/ul>/.exec(await sent.text())?.[0] ?? '';
  expect(said).toContain("more.example.com can't be added: a duplicate of Standard SSL has exactly the names of order 27182.");
});

test('D6: SSL Wildcard takes names under its base domain only', async ({ page, portal, scripts }) => {
  await begin(page, portal, 'new-2', 'Request a certificate');
  await chooseProfile(page, 'SSL Wildcard');
  await duplicateByNames(page, '*.example.org', 13579);
  const extra = page.getByLabel('Additional SANs');
  await extra.fill('www.example.com');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(extra).toHaveAttribute('aria-invalid', 'true');
  await expect(extra).toHaveValue('www.example.com');
  await expect(extra).toHaveAccessibleDescription(/example\.org|wildcard/);

  await extra.fill('deep.api.example.org');
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await installed(page, scripts);
  const original = await newest(portal, 13579, 'original');
  const seen = await served(portal, 'new-2', 'deep.api.example.org');
  expect(seen.names).toEqual(['*.example.org', 'deep.api.example.org', 'example.org']);
  expect(seen).toMatchObject({ notAfter: original.not_after, trusted: true });
});

/** The Sunday in March of next year on which Berlin's clocks are put forward, as `YYYY-MM-DD`. */
function gapDay(): string {
  const last = new Date(Date.UTC(new Date().getUTCFullYear() + 1, 2, 31));
  last.setUTCDate(31 - last.getUTCDay());
  return last.toISOString().slice(0, 10);
}

test('the past and the hour that the clocks skip are refused at the field; nothing typed is lost', async ({ page, portal }) => {
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await next(page, 'Installation');
  await page.getByLabel('Note').fill('In the night, please.');
  await scheduleAt(page, '2020-02-29', '03:15', 'Europe/Berlin');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByLabel('Date')).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Date')).toHaveAccessibleDescription(/has passed already/);
  await expect(page.getByLabel('Date')).toHaveValue('2020-02-29');
  await expect(page.getByLabel('Time', { exact: true })).toHaveValue('03:15');
  await expect(page.getByLabel('Note')).toHaveValue('In the night, please.');

  await scheduleAt(page, gapDay(), '02:30', 'Europe/Berlin');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByLabel('Time', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  await expect(page.getByLabel('Time', { exact: true })).toHaveAccessibleDescription(/clocks are put forward/);
  await expect(page.getByLabel('Note')).toHaveValue('In the night, please.');
});
