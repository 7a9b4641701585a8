import { begin, chooseProfile, duplicateByNames, installed, next, submit } from '../support/automation.ts';
import { signIn } from '../support/people.ts';
import { expect, test as base } from '../support/test.ts';

/** By the portal's own HTTPS listener, where browsers speak HTTP/2: hosts, cookies and streams come another way. */
const test = base.extend({
  baseURL: async ({ portal }, use) => use(portal.tlsUrl),
  ignoreHTTPSErrors: true,
});

test('over HTTPS people sign in, save settings, request and follow, and sign out', async ({ page, portal, scripts }) => {
  await signIn(page, 'administrator');
  expect(page.url()).toBe(`${portal.tlsUrl}/`);
  const response = await page.goto('/settings/preferences');
  expect(response?.status()).toBe(200);
  if (scripts) {
    const spoken = await page.evaluate(
      () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol,
    );
    expect(spoken).toBe('h2');
  }
  const cookies = await page.context().cookies();
  expect(cookies.some((cookie) => cookie.name.startsWith('__Host-') && cookie.secure && cookie.httpOnly)).toBe(true);
  await page.getByText('Advanced Settings', { exact: true }).click();
  await page.getByRole('radio', { name: /^Skip approval step/ }).check();
  await page.getByRole('checkbox', { name: 'Enable duplicate certificates in Automation' }).check();
  await page.getByRole('button', { name: 'Save Settings' }).click();
  await expect(page.getByText('Settings saved.')).toBeVisible();
  await begin(page, portal, 'new-1', 'Request a certificate');
  await chooseProfile(page, 'Standard SSL');
  await duplicateByNames(page, 'api.example.com', 27182);
  await next(page, 'Installation');
  // HTTP/2 has bounds of its own for addresses: of letters like these each is nine there.
  const [note, more] = [page.getByLabel('Note'), '界'.repeat(1_950)];
  await note.fill(more);
  await next(page, 'Review');
  await expect(page.getByText(more)).toBeVisible();
  await submit(page);
  await installed(page, scripts);
  await page.getByRole('button', { name: /Ada Admin/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You are signed out.')).toBeVisible();
});
