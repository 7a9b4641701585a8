import type { Page } from '@playwright/test';
import { begin, chooseProfile, endpointRow, next, scheduleAt, submit } from '../support/automation.ts';
import { alsoSignedIn, signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(120_000);

/** The columns and the statuses of "Automated IPs", as the requirements spell them. */
const COLUMNS = [
  'IP / Port', 'Common name', 'Host', 'Server software', 'Issuer', 'Order ID', 'Expires', 'Automation status', 'Auto-renew', 'Action',
];
const STATUSES = [
  'Configured', 'Automation scheduled', 'Auto-renew scheduled', 'In progress', 'Approval pending', 'Approval denied',
  'Successfully renewed', 'Action required', 'Automation failed', 'Install failed', 'Install validation failed', 'Agent error',
];

interface Row {
  address: string;
  name: string;
  issuer: string;
  order: string;
  /** The end of what is served, and the days that are left, where something is. */
  ends: string | null;
  left: string;
}

/** What the list shows, cell by cell. */
async function rows(page: Page): Promise<Row[]> {
  const shown: Row[] = [];
  for (const row of await page.getByRole('region', { name: 'Automated IPs' }).getByRole('row').all()) {
    const header = row.getByRole('rowheader');
    if ((await header.count()) === 0) continue;
    // The box to tick is a cell, the address is none.
    const cell = (at: number) => row.getByRole('cell').nth(at);
    const end = cell(6).locator('time');
    shown.push({
      address: (await header.getByRole('link').innerText()).trim(),
      name: (await cell(1).locator('.names, .muted').first().innerText()).trim(),
      issuer: /^(Ours|Other|None)/.exec((await cell(4).innerText()).trim())?.[1] ?? '',
      order: (await cell(5).innerText()).trim(),
      ends: (await end.count()) > 0 ? await end.first().getAttribute('datetime') : null,
      left: (await cell(6).locator('.days').count()) > 0 ? await cell(6).locator('.days').innerText() : '',
    });
  }
  return shown;
}

const addresses = (of: Row[]) => of.map((row) => row.address).sort();

async function filtered(page: Page, label: string, choice: string): Promise<Row[]> {
  await page.goto('/automation/endpoints');
  await page.getByRole('search', { name: 'Filter this list' }).getByLabel(label).selectOption({ label: choice });
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForURL(/[?&](issuer|expires)=\w/);
  return rows(page);
}

test('the columns and the statuses have the words of the screen', async ({ page, portal, browser, scripts }) => {
  await signIn(page, 'manager');
  await page.goto('/automation/endpoints');
  const table = page.getByRole('region', { name: 'Automated IPs' });
  await expect(table.getByRole('columnheader')).toHaveText(['Select', ...COLUMNS]);
  const statuses = await page.getByLabel('Automation status').locator('option').allInnerTexts();
  expect(statuses).toEqual(['Any', ...STATUSES, 'Needs action']);
  const other = await alsoSignedIn(browser, portal, 'standard', scripts);
  await other.goto('/automation/endpoints');
  await expect(other.getByRole('columnheader'), 'who selects nothing has no boxes').toHaveText(COLUMNS);
});

test('issuer and "Expires within" show what the cells of the whole list say', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/endpoints');
  const all = await rows(page);
  expect(all.length).toBeGreaterThan(8);
  for (const issuer of ['Ours', 'Other', 'None']) {
    const wanted = all.filter((row) => row.issuer === issuer);
    expect(wanted.length, issuer).toBeGreaterThan(0);
    expect(addresses(await filtered(page, 'Issuer', issuer)), issuer).toEqual(addresses(wanted));
  }
  expect(all.some((row) => row.left.startsWith('expired')), 'one has expired').toBe(true);
  for (const days of [7, 30, 60, 90]) {
    // "less than a day left", "1 day left", "41 days left"; what has expired is over.
    const left = (row: Row) => (row.left.startsWith('less') ? 0 : Number(/^(\d+) days? left$/.exec(row.left)?.[1] ?? Infinity));
    const wanted = all.filter((row) => left(row) <= days);
    expect(addresses(await filtered(page, 'Expires within', `${days} days`)), `${days} days`).toEqual(addresses(wanted));
    if (days === 60) expect(wanted.length).toBeGreaterThan(0);
  }
});

test('an address, a name and an order are found', async ({ page, portal }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/endpoints');
  const all = await rows(page);
  for (const [typed, wanted] of [
    [portal.address('mail-1'), all.filter((row) => row.address === portal.address('mail-1'))],
    ['MAIL.example', all.filter((row) => row.name.startsWith('mail.example'))],
    ['27182', all.filter((row) => row.order === '27182')],
  ] as const) {
    await page.goto('/automation/endpoints');
    await page.getByLabel('IP, name or order').fill(typed);
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.waitForURL(/[?&]text=\w/);
    expect(wanted.length, typed).toBeGreaterThan(0);
    expect(addresses(await rows(page)), typed).toEqual(addresses([...wanted]));
  }
});

test('the headers sort, up and down', async ({ page }) => {
  await signIn(page, 'administrator');
  const port = (row: Row) => Number(row.address.split(':').at(-1));
  const text = (row: Row) => (row.ends === null ? '~' : row.name);
  const compare = (one: string | number, other: string | number) => (one < other ? -1 : one > other ? 1 : 0);
  const sorts: [string, (row: Row) => string | number][] = [
    ['IP / Port', port], ['Common name', text], ['Expires', (row) => row.ends ?? '9'],
  ];
  for (const [column, key] of sorts) {
    await page.goto(column === 'IP / Port' ? '/automation/endpoints?sort=name' : '/automation/endpoints');
    for (const direction of ['ascending', 'descending']) {
      const header = page.getByRole('columnheader', { name: column });
      await header.getByRole('link').click();
      await expect(header).toHaveAttribute('aria-sort', direction);
      const shown = await rows(page);
      const keys = shown.map(key);
      const sorted = [...keys].sort(compare);
      expect(keys, `${column}, ${direction}`).toEqual(direction === 'ascending' ? sorted : sorted.reverse());
    }
  }
});

test('"Cancel" is offered to who may press it', async ({ page, portal, browser, scripts }) => {
  await portal.offerDuplicates();
  await signIn(page, 'manager');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await page.getByLabel('Common name').fill('later.example.com');
  await next(page, 'Installation');
  await scheduleAt(page, new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10), '03:00', 'UTC');
  await next(page, 'Review');
  await submit(page);
  await page.goto('/automation/endpoints');
  const cancel = endpointRow(page, portal, 'new-1').getByRole('button', { name: 'Cancel', exact: true });
  await expect(cancel).toBeVisible();

  const other = await alsoSignedIn(browser, portal, 'standard', scripts);
  await other.goto('/automation/endpoints');
  const row = endpointRow(other, portal, 'new-1');
  await expect(row).toContainText('Automation scheduled');
  await expect(row.getByRole('button', { name: 'Cancel', exact: true })).toHaveCount(0);
  await row.getByRole('rowheader').getByRole('link').click();
  await expect(other.getByRole('button', { name: /^Actions/ })).toBeVisible();
  await expect(other.getByRole('button', { name: 'Cancel', exact: true })).toHaveCount(0);

  await cancel.click();
  await expect(page.getByText('The event was canceled.')).toBeVisible();
});
