import type { Page } from '@playwright/test';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(120_000);

const ROWS = 30;

interface List {
  path: string;
  /** Where one more is made: the form's page, and what is typed into it. */
  form: string;
  button: string;
  /** The column that is not sorted by at first, and its key. */
  column: string;
  sort: string;
  /** A page at its usual size, before compression. */
  bytes: number;
}

const LISTS: List[] = [
  { path: '/automation/agents', form: '/automation/agents/new', button: 'Add agent', column: 'Host', sort: 'host', bytes: 24_000 },
  { path: '/automation/profiles', form: '/automation/profiles/new', button: 'Save profile', column: 'Saved', sort: 'saved', bytes: 27_000 },
  { path: '/account/api-keys', form: '/account/api-keys/new', button: 'Add API key', column: 'Name', sort: 'name', bytes: 27_000 },
];

/** Fills the form once in the browser; the others are sent as the browser would. */
async function fill(page: Page, origin: string, { form, button }: List, rows = ROWS): Promise<void> {
  await page.goto(form);
  const main = page.locator('main form').filter({ has: page.getByRole('button', { name: button }) });
  const action = (await main.getAttribute('action')) ?? '';
  const fields: Record<string, string> = {};
  for (const field of await main.locator('input, select, textarea').all()) {
    const [name, kind] = [await field.getAttribute('name'), await field.getAttribute('type')];
    if (name === null || ((kind === 'radio' || kind === 'checkbox') && !(await field.isChecked()))) continue;
    fields[name] = await field.inputValue();
  }
  for (let at = 0; at < rows; at += 1) {
    const typed = { ...fields, name: `number ${String(at).padStart(2, '0')} of the department for the web of Example` };
    const sent = await page.request.post(action, { form: typed, headers: { Origin: origin }, maxRedirects: 0 });
    expect(sent.status(), await sent.text()).toBe(303);
  }
}

/** The names of all rows, page after page. */
async function walk(page: Page): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const shown = await page.getByRole('rowheader').getByText(/^number/).allInnerTexts();
    expect(shown.length).toBeLessThanOrEqual(25);
    names.push(...shown);
    const next = page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Next' });
    if ((await next.count()) === 0) return names;
    // What is read next must be of the next page, and all of it.
    const before = page.url();
    await next.click();
    await page.waitForURL((url) => url.href !== before);
  }
}

for (const list of LISTS) {
  test(`${list.path} has pages, sorts, a filter and a whole export`, async ({ page, portal }) => {
    await signIn(page, 'administrator');
    await fill(page, portal.url, list);
    const answer = await page.goto(`${list.path}?text=number`);
    expect((await answer?.body())?.length).toBeLessThan(list.bytes);
    const names = await walk(page);
    expect(new Set(names).size).toBe(ROWS);

    await page.goto(`${list.path}?text=number`);
    await page.getByRole('columnheader', { name: list.column }).getByRole('link').click();
    await page.waitForURL(new RegExp(`sort=${list.sort}`));
    expect(new Set(await walk(page)).size).toBe(ROWS);

    await page.goto(`${list.path}?text=Number+07`);
    expect(await walk(page)).toHaveLength(1);
    const csv = await page.request.get(`${list.path}.csv?text=number`);
    expect((await csv.text()).trim().split('\r\n')).toHaveLength(ROWS + 1);

    await page.goto(`${list.path}?text=nobody`);
    await expect(page.getByText(/^No .* matches$/)).toBeVisible();
    await page.getByRole('link', { name: 'Clear' }).click();
    await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();
  });
}

test('the longest page of API keys is no larger than that of other lists', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  for (const list of LISTS.slice(-1)) await fill(page, portal.url, list, 100);
  const answer = await page.goto('/account/api-keys?size=100');
  await expect(page.getByRole('button', { name: /^Revoke number/ })).toHaveCount(100);
  expect((await answer?.body())?.length).toBeLessThan(60_000);
});

test('the wizard and the filter of Automated IPs stay usable with many profiles and agents', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  for (const list of LISTS.slice(0, 2)) await fill(page, portal.url, list);
  await page.goto('/automation/endpoints?agent=1');
  const agent = page.getByRole('searchbox', { name: 'Agent' });
  await expect(agent).toHaveValue('demo-host');
  expect(await page.getByRole('rowheader').count()).toBeGreaterThan(5);
  await agent.fill('number 03');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('No endpoint matches')).toBeVisible();

  await page.goto('/automation/endpoints/1/request?action=request');
  await page.getByLabel('Choose a profile').selectOption({ label: 'Standard SSL – Standard SSL for Example Corp' });
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page).toHaveURL(/request\/certificate\?.*profile=/);
});
