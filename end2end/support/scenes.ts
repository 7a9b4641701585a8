import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Browser, expect, type Page } from '@playwright/test';
import { begin, chooseProfile, follow, next, submit } from './automation.ts';
import { endpointPath } from './pages.ts';
import { alsoSignedIn } from './people.ts';
import type { Portal } from './portal.ts';

const run = promisify(execFile);

/** A state of a screen that no address alone shows: a form that came back, an open menu, a failed event. */
export interface Scene {
  name: string;
  /** Brings the page there; whoever is signed in on it is an administrator. */
  show: (page: Page) => Promise<void>;
}

/** What the scenes need: people's requests that wait, and events in each state. */
interface Stage {
  page: Page;
  portal: Portal;
  browser: Browser;
  scripts: boolean;
}

/** An event whose first try failed: a folder stands where the server's certificate belongs. */
async function failedEvent({ page, portal }: Stage): Promise<string> {
  const file = portal.file('shop-1', 'fullchain.pem');
  rmSync(file);
  mkdirSync(file);
  await begin(page, portal, 'shop-1', 'Renew');
  await chooseProfile(page, 'Standard SSL');
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await expect(page.getByText(/^Try 1 failed/)).toBeVisible({ timeout: 40_000 });
  return page.url();
}

/** An event that did all that it should. */
async function doneEvent({ page, portal, scripts }: Stage): Promise<string> {
  await begin(page, portal, 'mail-1', 'Switch to DigiCert');
  await chooseProfile(page, 'Standard SSL');
  await next(page, 'Installation');
  await next(page, 'Review');
  await submit(page);
  await follow(page, scripts, 'Successfully installed');
  return page.url();
}

/** What a Standard User asked for waits for a reviewer (rule D16): the event, and its request. */
async function heldEvent({ portal, browser, scripts, page }: Stage, endpoint: string, name: string): Promise<{ event: string; request: string }> {
  const person = await alsoSignedIn(browser, portal, 'standard', scripts);
  await begin(person, portal, endpoint, 'Request a certificate');
  await chooseProfile(person, 'Standard SSL');
  await person.getByLabel('Common name').fill(name);
  await next(person, 'Installation');
  await next(person, 'Review');
  await submit(person);
  const event = person.url();
  await follow(person, scripts, 'Approval pending');
  await person.context().close();
  await page.goto('/certificates/requests?status=pending');
  const row = page.getByRole('row').filter({ hasText: name });
  const request = await row.getByRole('rowheader').getByRole('link').getAttribute('href');
  return { event, request: request ?? '' };
}

/** An event whose request was rejected. */
async function deniedEvent(stage: Stage): Promise<string> {
  const { page } = stage;
  const { event, request } = await heldEvent(stage, 'new-2', 'denied.example.com');
  await page.goto(request);
  await page.getByLabel('Comment').fill('Use the shared load balancer.');
  await page.getByRole('button', { name: 'Reject' }).click();
  await expect(page.getByText('The request was rejected.')).toBeVisible();
  return event;
}

/** An ACME Directory URL with two orders of lego's, and where its credential was shown. */
async function acmeUrl({ page, portal }: Stage): Promise<string> {
  await page.goto('/automation/acme-urls/new');
  await page.getByLabel('Name', { exact: true }).fill('Web servers');
  await page.getByRole('button', { name: 'Add ACME Directory URL' }).click();
  const fact = async (term: string) =>
    (await page.locator('dl.facts > div').filter({ has: page.getByText(term, { exact: true }) }).first().locator('code').innerText()).trim();
  const path = new URL(page.url()).pathname;
  const server = ['--path', portal.file('new-1', '../lego'), '--server', await fact('ACME Directory URL')];
  const account = ['--eab', '--kid', await fact('KID'), '--hmac', await fact('HMAC key'), '--accept-tos', '--email', 'a@example.com'];
  const names = ['--domains', 'acme.example.com', '--http', 'run'];
  const env = { ...process.env, LEGO_CA_CERTIFICATES: portal.rootFile() };
  for (let time = 0; time < 2; time += 1) await run('lego', [...server, ...account, ...names], { env });
  return path;
}

const CSR_FAULT = 'no CSR';

/** Sets the stage; the scenes are then shown in their order. */
export async function scenes(stage: Stage): Promise<Scene[]> {
  const { page, portal } = stage;
  const failed = await failedEvent(stage);
  const { event, request } = await heldEvent(stage, 'new-1', 'held.example.com');
  const denied = await deniedEvent(stage);
  const done = await doneEvent(stage);
  const acme = await acmeUrl(stage);
  const unserved = await endpointPath(page, portal, 'new-1');
  const goto = (path: string) => async (at: Page) => void (await at.goto(path));
  const press = (path: string, button: string | RegExp) => async (at: Page) => {
    await at.goto(path);
    await at.getByRole('button', { name: button }).first().click();
  };
  const choose = (path: string, fields: Record<string, string>, button: string) => async (at: Page) => {
    await at.goto(path);
    for (const [label, text] of Object.entries(fields)) {
      await at.getByLabel(new RegExp(`^${label}( \\(optional\\))?$`)).fill(text);
    }
    await at.locator('main form').evaluateAll((all) => all.forEach((form) => form.setAttribute('novalidate', '')));
    await at.getByRole('button', { name: button, exact: true }).first().click();
    await at.waitForLoadState('networkidle');
  };
  return [
    { name: 'event-failed', show: goto(failed) },
    { name: 'event-held', show: goto(event) },
    { name: 'event-denied', show: goto(denied) },
    { name: 'endpoint-denied', show: goto(await endpointPath(page, portal, 'new-2')) },
    { name: 'event-done', show: goto(done) },
    { name: 'endpoint-failed', show: goto(await endpointPath(page, portal, 'shop-1')) },
    { name: 'endpoint-held', show: goto(unserved) },
    { name: 'endpoint-done', show: goto(await endpointPath(page, portal, 'mail-1')) },
    { name: 'endpoints-many-states', show: goto('/automation/endpoints') },
    { name: 'endpoints-menu', show: press('/automation/endpoints', /^Actions for/) },
    { name: 'activity-many-states', show: goto('/automation/activity') },
    { name: 'dashboard-busy', show: goto('/') },
    { name: 'request-held', show: goto(request) },
    { name: 'requests-empty', show: goto('/certificates/requests?status=rejected&text=nobody') },
    { name: 'order-lineage', show: goto('/certificates/orders/67890') },
    { name: 'order-duplicates', show: goto('/certificates/orders/24680') },
    { name: 'endpoint-menu', show: press(unserved, /^Actions/) },
    { name: 'order-duplicate-fault', show: choose('/certificates/orders/27182/duplicate', { CSR: CSR_FAULT }, 'Request duplicate') },
    { name: 'request-certificate-fault', show: choose('/certificates/request', { CSR: CSR_FAULT }, 'Submit request') },
    { name: 'acme-url-with-orders', show: goto(acme) },
    { name: 'acme-url-rotate', show: press(acme, 'Rotate') },
    { name: 'acme-url-tried', show: choose(`${acme}/try`, { Names: 'acme.example.com' }, 'Try it') },
    { name: 'acme-url-fault', show: choose('/automation/acme-urls/new', { Name: '', 'Allowed domains': '*.example.com' }, 'Add ACME Directory URL') },
    { name: 'acme-url-credential', show: choose('/automation/acme-urls/new', { Name: 'Once' }, 'Add ACME Directory URL') },
    { name: 'agent-token', show: choose('/automation/agents/new', { Name: 'web-9.example.com' }, 'Add agent') },
    { name: 'api-key-once', show: choose('/account/api-keys/new', { Name: 'CI pipeline' }, 'Add API key') },
    { name: 'user-link', show: choose('/account/users/new', { 'E-mail': 'nora@example.com' }, 'Add user') },
    { name: 'user-fault', show: choose('/account/users/new', { 'E-mail': 'nora@example.com' }, 'Add user') },
    { name: 'profile-fault', show: choose('/automation/profiles/new', { Name: '' }, 'Save profile') },
    { name: 'domain-fault', show: choose('/certificates/domains/new', { Domain: '*.example.com' }, 'Add domain') },
    { name: 'my-account-fault', show: choose('/account/me', { 'Time zone': 'Mars/Olympus' }, 'Save') },
    { name: 'preferences-saved', show: press('/settings/preferences', 'Save Settings') },
    { name: 'audit-checked', show: goto('/account/audit-log?check=on') },
    { name: 'audit-busy', show: goto('/account/audit-log') },
    { name: 'search-empty', show: goto('/search?q=nothing-of-this-name') },
    { name: 'person-menu', show: press('/', /Ada Admin/) },
    {
      name: 'wizard-2-new-fault',
      show: async (at) => {
        await at.goto(`${unserved}/request/certificate?action=request&profile=1`);
        await at.getByLabel('Common name', { exact: true }).fill('*.nothing example');
        await at.getByRole('button', { name: 'Continue' }).click();
        await expect(at.getByLabel('Common name', { exact: true })).toHaveAttribute('aria-invalid', 'true');
      },
    },
    {
      name: 'wizard-2-not-offered',
      show: async (at) => {
        await portal.setting('duplicates_in_automation', 'off');
        await at.goto(`${unserved}/request/certificate?action=request&profile=1`);
        await portal.setting('duplicates_in_automation', 'on');
      },
    },
  ];
}
