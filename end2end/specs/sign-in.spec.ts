import { fillSignIn, person, type Role, signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test('signs in, is greeted by name, and signs out', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.getByRole('button', { name: /Ada Admin/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You are signed out.')).toBeVisible();

  await page.goto('/certificates/orders');
  await expect(page.getByRole('heading', { name: 'Sign in', level: 1 })).toBeVisible();
});

test('a wrong password is refused in words and keeps the address', async ({ page }) => {
  const { email } = person('administrator');
  await page.goto('/sign-in');
  await fillSignIn(page, email, 'not the password');
  await expect(page.getByRole('alert')).toContainText(/wrong|not right|do(es)? not (fit|match)/i);
  await expect(page.getByLabel('E-mail')).toHaveValue(email);
  await expect(page.getByLabel('Password')).toHaveValue('');

  await fillSignIn(page, email, 'demo-administrator');
  await expect(page.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();
});

test('an unknown address gets the same answer as a wrong password', async ({ page }) => {
  const answer = async (email: string) => {
    await page.goto('/sign-in');
    await fillSignIn(page, email, 'not the password');
    return page.getByRole('alert').innerText();
  };
  expect(await answer('nobody@example.com')).toBe(await answer('admin@example.com'));
});

test('whoever follows a link is led to it after signing in', async ({ page }) => {
  await page.goto('/certificates/orders?sort=expires');
  const { email, password } = person('manager');
  await fillSignIn(page, email, password);
  await expect(page).toHaveURL(/\/certificates\/orders\?sort=expires$/);
});

test('a session that ended under a form is said, and the form comes back as it was filled in', async ({ page, context }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/agents/new');
  await page.getByLabel('Name', { exact: true }).fill('web-9.example.com');
  await context.clearCookies();
  await page.getByRole('button', { name: 'Add agent' }).click();
  await expect(page.getByText('Your session has ended')).toBeVisible();
  const { email, password } = person('administrator');
  await fillSignIn(page, email, 'not the password');
  await expect(page.getByText('Your session has ended')).toBeVisible();
  await fillSignIn(page, email, password);
  await expect(page.getByText('You are signed in again')).toBeVisible();
  await expect(page.getByLabel('Name', { exact: true })).toHaveValue('web-9.example.com');
  await page.getByRole('button', { name: 'Add agent' }).click();
  await expect(page.getByRole('heading', { name: 'web-9.example.com', level: 1 })).toBeVisible();
});

test('a forged session is no session, and a form from elsewhere is refused', async ({ page, context, portal }) => {
  await context.addCookies([{ name: 'certdeck', value: 'A'.repeat(43), url: portal.url }]);
  await page.goto('/settings/preferences');
  await expect(page.getByRole('heading', { name: 'Sign in', level: 1 })).toBeVisible();

  const form = { email: 'admin@example.com', password: 'demo-administrator', next: '/' };
  const foreign = await page.request.post('/api/session/sign-in', { form, headers: { Origin: 'https://evil.example' }, maxRedirects: 0 });
  expect(foreign.status()).toBe(403);
});

const MENU: Record<Role, { sees: string[]; not: string[] }> = {
  administrator: { sees: ['Orders', 'Requests', 'Automated IPs', 'Users', 'Preferences'], not: [] },
  manager: { sees: ['Orders', 'Requests', 'Automated IPs', 'Manage profiles'], not: ['Users', 'Audit log'] },
  standard: { sees: ['Orders', 'Requests', 'Automated IPs'], not: ['ACME Directory URLs', 'Users'] },
  limited: { sees: ['Orders', 'Requests'], not: ['Domains', 'Automated IPs', 'Users', 'Preferences'] },
};

for (const [role, { sees, not }] of Object.entries(MENU) as [Role, (typeof MENU)[Role]][]) {
  test(`the menu of the role ${role}`, async ({ page }) => {
    await signIn(page, role);
    const menu = page.getByRole('navigation', { name: 'Main menu' });
    for (const label of sees) await expect(menu.getByRole('link', { name: label, exact: true })).toBeVisible();
    for (const label of not) await expect(menu.getByRole('link', { name: label, exact: true })).toHaveCount(0);
  });
}

test('only administrators change preferences; a form sent anyway is refused', async ({ page, portal }) => {
  await signIn(page, 'manager');
  await page.goto('/settings/preferences');
  await expect(page.getByText('Only Administrators change them.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Save Settings' })).toHaveCount(0);

  const before = await portal.command('settings', 'get', 'approval_step');
  const form = { version: '1', approval_step: 'skip' };
  const sent = await page.request.post('/api/preferences/save', { form, headers: { Origin: portal.url }, maxRedirects: 0 });
  expect(sent.status()).toBe(403);
  expect(await sent.text(), 'because of the role').toContain('Only Administrators may do this');
  expect(await portal.command('settings', 'get', 'approval_step')).toBe(before);
});
