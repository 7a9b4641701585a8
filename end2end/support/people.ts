import type { Browser, Page } from '@playwright/test';
import { expect } from './test.ts';
import type { Portal } from './portal.ts';

/** The demonstration's sign-ins. */
const PEOPLE = {
  administrator: { email: 'admin@example.com', name: 'Ada Admin', role: 'Administrator' },
  manager: { email: 'manager@example.com', name: 'Max Manager', role: 'Manager' },
  standard: { email: 'standard@example.com', name: 'Stella Standard', role: 'Standard User' },
  limited: { email: 'limited@example.com', name: 'Liam Limited', role: 'Limited User' },
} as const;

export type Role = keyof typeof PEOPLE;

export function person(role: Role) {
  return { ...PEOPLE[role], password: `demo-${role}` };
}

/** Types into the sign-in form and sends it. */
export async function fillSignIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Signs in on the sign-in page, as a person does. */
export async function signIn(page: Page, role: Role): Promise<void> {
  const { email, password } = person(role);
  await page.goto('/sign-in');
  await fillSignIn(page, email, password);
  await expect(page.getByRole('heading', { name: 'Dashboard', level: 1 })).toBeVisible();
}

/** A second person with a browser window of their own. */
export async function alsoSignedIn(browser: Browser, portal: Portal, role: Role, scripts: boolean): Promise<Page> {
  const context = await browser.newContext({ baseURL: portal.url, javaScriptEnabled: scripts });
  const page = await context.newPage();
  await signIn(page, role);
  return page;
}
