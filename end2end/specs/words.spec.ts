import type { Page } from '@playwright/test';
import { begin, chooseProfile } from '../support/automation.ts';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(120_000);

/** The columns of lists, as the requirements spell and order them; those between are our own. */
const COLUMNS: Record<string, string[]> = {
  '/certificates/orders': [
    'Order ID', 'Status', 'Common name', 'Product', 'Organization', 'Valid till', 'Certificates', 'Renewed', 'Origin', 'Requester',
  ],
  '/certificates/requests': ['Type', 'Status', 'Requester', 'Asked'],
  '/automation/profiles': ['Name', 'State', 'Product', 'Organization', 'Order coverage', 'Validity', 'Key'],
  '/automation/acme-urls': ['Name', 'KID', 'Product', 'Organization', 'Status', 'Accounts', 'Last used', 'Orders'],
  '/automation/agents': ['Version', 'Last seen', 'Endpoints'],
  '/account/api-keys': ['Name', 'Role', 'Last used'],
  '/certificates/orders/12345': ['Type', 'Status', 'Serial number', 'Names', 'Valid from', 'Valid till', 'Installed on', 'Requested by'],
};

/** The words that people look for on a page, wherever they stand there. */
const WORDS: Record<string, string[]> = {
  '/': [
    'Certificates expiring in 90 days or less so you can schedule them', 'Issued per day by door', 'Requests that wait for approval',
  ],
  '/settings/preferences': [
    'Advanced Settings', 'Certificate Requests', 'Approval Steps', 'One step: certificate requests must be approved',
    'Automatically approve certificate requests when the requester is also an approver',
    'Skip approval step: remove the approval step from your certificate order processes', 'Duplicate certificates',
    'Enable duplicate certificates in Automation', 'Save Settings',
  ],
  '/automation/profiles': ['Add new profile'],
  '/automation/profiles/new': ['Make this the default automation profile', 'Allow duplicates', 'Auto-renew and install certificate'],
  '/automation/profiles/1': ['Update these preferences in scheduled automation events that use this profile'],
  '/automation/acme-urls': ['Add ACME Directory URL'],
  '/automation/acme-urls/new': [
    'Multi-year coverage length', 'Validity period', 'Duplicate automatically when an order matches',
  ],
  '/certificates/orders/12345': ['Certificate history', 'Certificate actions', 'Revoke certificate', 'Download'],
  '/certificates/orders/24680': ['Request duplicate', 'Reissue certificate', 'Renew certificate'],
};

/** The columns of the page's first table that are in `wanted`, in their order. */
async function columns(page: Page, wanted: string[]): Promise<string[]> {
  const all = await page.getByRole('table').first().getByRole('columnheader').allInnerTexts();
  return all.map((text) => text.trim()).filter((text) => wanted.includes(text));
}

test('lists have the columns, and pages the words, of the screens', async ({ page, portal }) => {
  await portal.command('token', 'create', '--user', 'admin@example.com', '--name', 'script');
  await signIn(page, 'administrator');
  for (const path of new Set([...Object.keys(COLUMNS), ...Object.keys(WORDS)])) {
    await page.goto(path);
    const heads = COLUMNS[path];
    if (heads) expect.soft(await columns(page, heads), path).toEqual(heads);
    // What is folded is on the page too.
    const text = (await page.locator('main').evaluate((main) => main.textContent ?? '')).replace(/\s+/g, ' ');
    for (const words of WORDS[path] ?? []) expect.soft(text, path).toContain(words);
    await expect.soft(page.getByRole('searchbox', { name: 'Order number, serial, name or IP' }), path).toBeVisible();
  }
});

test('the menu has the groups and entries of the screens, in their order', async ({ page }) => {
  await signIn(page, 'administrator');
  const menu = page.getByRole('navigation', { name: 'Main menu' });
  const entries = await menu.locator('a.menu-item').evaluateAll((links) => links.map((link) => (link.textContent ?? '').trim()));
  expect(entries).toEqual([
    'Dashboard', 'Orders', 'Requests', 'Domains', 'Organizations', 'Automated IPs', 'Manage profiles', 'ACME Directory URLs', 'Agents',
    'Activity', 'Users', 'API keys', 'Audit log', 'Preferences', 'Notifications', 'Product settings',
  ]);
});

test('the steps of the request page have the words of the screens', async ({ page, portal }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  await begin(page, portal, 'new-1', 'Request a certificate');
  await expect(page.getByRole('heading', { name: 'Automation profile' })).toBeVisible();
  await chooseProfile(page, 'Standard SSL');
  for (const choice of ['Issue a new certificate', 'Issue a duplicate certificate using an existing order']) {
    await expect(page.getByRole('link', { name: choice }), choice).toBeVisible();
  }
});
