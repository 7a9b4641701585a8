import type { Page } from '@playwright/test';
import type { Portal } from './portal.ts';

/** A screen: what a picture of it is called, and where it is. */
export interface Screen {
  name: string;
  path: string;
}

const DUPLICATE_STEP = 'action=request&profile=1&obtain=duplicate&search=api.example.com';
const CHOSEN = 'action=request&profile=1&obtain=duplicate&order=27182&order_profile=1&install=now';

/** The pages behind sign-in that show the demonstration as it is at its start. */
const FIXED: Screen[] = [
  { name: 'dashboard', path: '/' },
  { name: 'search', path: '/search?q=example.com' },
  { name: 'orders', path: '/certificates/orders' },
  { name: 'orders-empty', path: '/certificates/orders?name=nothing.example.com' },
  { name: 'order', path: '/certificates/orders/12345' },
  { name: 'order-wildcard', path: '/certificates/orders/13579' },
  { name: 'order-duplicate', path: '/certificates/orders/13579/duplicate' },
  { name: 'order-reissue', path: '/certificates/orders/27182/reissue' },
  { name: 'order-renew', path: '/certificates/orders/24680/renew' },
  { name: 'order-revoke', path: '/certificates/orders/24680/revoke' },
  { name: 'order-download', path: '/certificates/orders/24680/download' },
  { name: 'request-certificate', path: '/certificates/request' },
  { name: 'requests', path: '/certificates/requests' },
  { name: 'domains', path: '/certificates/domains' },
  { name: 'domain-new', path: '/certificates/domains/new' },
  { name: 'organizations', path: '/certificates/organizations' },
  { name: 'organization-new', path: '/certificates/organizations/new' },
  { name: 'endpoints', path: '/automation/endpoints' },
  { name: 'profiles', path: '/automation/profiles' },
  { name: 'profile-new', path: '/automation/profiles/new' },
  { name: 'profile', path: '/automation/profiles/1' },
  { name: 'acme-urls', path: '/automation/acme-urls' },
  { name: 'acme-url-new', path: '/automation/acme-urls/new' },
  { name: 'agents', path: '/automation/agents' },
  { name: 'agent-new', path: '/automation/agents/new' },
  { name: 'agent', path: '/automation/agents/1' },
  { name: 'activity', path: '/automation/activity' },
  { name: 'users', path: '/account/users' },
  { name: 'user-new', path: '/account/users/new' },
  { name: 'user', path: '/account/users/2' },
  { name: 'my-account', path: '/account/me' },
  { name: 'api-keys', path: '/account/api-keys' },
  { name: 'api-key-new', path: '/account/api-keys/new' },
  { name: 'api-key-revoke', path: '/account/api-keys/revoke?key=1' },
  { name: 'audit-log', path: '/account/audit-log' },
  { name: 'preferences', path: '/settings/preferences' },
  { name: 'notifications', path: '/settings/notifications' },
  { name: 'product-settings', path: '/settings/products' },
  { name: 'not-found', path: '/nowhere' },
];

/** Pages of single things, found by following the first link of a list. */
const FIRST_OF: Screen[] = [
  { name: 'request', path: '/certificates/requests' },
  { name: 'domain', path: '/certificates/domains' },
  { name: 'organization', path: '/certificates/organizations' },
  { name: 'event', path: '/automation/activity' },
  { name: 'acme-url', path: '/automation/acme-urls' },
];

/** The path that the first row of the list leads to. */
async function firstOf(page: Page, list: string): Promise<string> {
  await page.goto(list);
  const href = await page.getByRole('rowheader').getByRole('link').first().getAttribute('href');
  if (href === null) throw new Error(`${list} has no row with a link`);
  return href;
}

/** The path of an endpoint's page. */
export async function endpointPath(page: Page, portal: Portal, endpoint: string): Promise<string> {
  await page.goto('/automation/endpoints');
  const href = await page.getByRole('link', { name: portal.address(endpoint), exact: true }).getAttribute('href');
  if (href === null) throw new Error(`${endpoint} is not in the list`);
  return href;
}

/** Makes an event, an ACME Directory URL and an API key, so that no screen is without content. Nobody need be an observer of it. */
export async function furnish(page: Page, portal: Portal): Promise<void> {
  await portal.command('acme-url', 'create', '--name', 'web', '--product', 'ssl_plus', '--organization', 'Example Corp', '--json');
  await portal.command('token', 'create', '--user', 'admin@example.com', '--name', 'CI pipeline');
  const endpoint = await endpointPath(page, portal, 'new-2');
  const query = 'action=request&profile=1&obtain=new&common_name=new-2.example.com&install=now';
  await page.goto(`${endpoint}/request/review?${query}`);
  await page.getByRole('button', { name: 'Submit request' }).click();
  await page.locator('#event').waitFor();
}

/** The path of a one-time link by which a person chooses a password. */
async function setUpPath(page: Page): Promise<string> {
  await page.goto('/account/users/2');
  await page.getByRole('button', { name: 'Make a link for a new password' }).click();
  const link = await page.getByRole('region', { name: 'One-time link', exact: true }).innerText();
  return new URL(link.trim()).pathname;
}

/** Every screen for the person who is signed in on `page`, after `furnish`. */
export async function screens(page: Page, portal: Portal): Promise<Screen[]> {
  const endpoint = await endpointPath(page, portal, 'new-1');
  const served = await endpointPath(page, portal, 'www-2');
  const ids = [endpoint, served].map((path) => path.split('/').at(-1)).join('&ids=');
  const found: Screen[] = [
    { name: 'endpoint', path: served },
    { name: 'endpoint-new', path: endpoint },
    { name: 'bulk', path: `/automation/endpoints/bulk?do=request&ids=${ids}` },
    { name: 'wizard-1-profile', path: `${endpoint}/request?action=request` },
    { name: 'wizard-2-new', path: `${endpoint}/request/certificate?action=request&profile=1` },
    { name: 'wizard-2-duplicate', path: `${endpoint}/request/certificate?${DUPLICATE_STEP}` },
    { name: 'wizard-2-renew', path: `${served}/request/certificate?action=renew&profile=1` },
    { name: 'wizard-3-installation', path: `${endpoint}/request/installation?${CHOSEN}` },
    { name: 'wizard-4-review', path: `${endpoint}/request/review?${CHOSEN}` },
  ];
  for (const { name, path } of FIRST_OF) found.push({ name, path: await firstOf(page, path) });
  found.push({ name: 'set-up', path: await setUpPath(page) });
  const acmeUrl = found.find((one) => one.name === 'acme-url');
  if (acmeUrl !== undefined) found.push({ name: 'acme-url-try', path: `${acmeUrl.path}/try` });
  return [...FIXED, ...found];
}

/** Opens every "Advanced" part of a page, so that nothing is left unseen. */
export async function unfold(page: Page): Promise<void> {
  await page.locator('main details').evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));
}
