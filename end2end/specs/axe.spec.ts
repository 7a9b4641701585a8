import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(180_000);

/** What axe finds on the page as it is: the rule, and the elements. */
async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.html.slice(0, 160)}`));
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any page, ${colorScheme}`, async ({ page, portal }) => {
    await page.emulateMedia({ colorScheme });
    await portal.offerDuplicates();
    await page.goto('/sign-in');
    const found: Record<string, string[]> = { 'sign-in': await findings(page) };
    await signIn(page, 'administrator');
    await furnish(page, portal);
    const all = await screens(page, portal);
    expect(all.length).toBeGreaterThan(50);
    for (const { name, path } of all) {
      await page.goto(path);
      await unfold(page);
      found[name] = await findings(page);
    }
    const bad = Object.fromEntries(Object.entries(found).filter(([, faults]) => faults.length > 0));
    expect(bad).toEqual({});
  });
}

test('axe finds nothing on a form that came back, nor in an open menu', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/certificates/orders/27182/duplicate');
  await page.getByLabel('CSR', { exact: true }).fill('no CSR');
  await page.getByRole('button', { name: 'Request duplicate' }).click();
  await expect(page.getByLabel('CSR', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  expect(await findings(page)).toEqual([]);
  await page.goto('/automation/endpoints');
  await page.getByRole('button', { name: /^Actions for/ }).first().click();
  expect(await findings(page)).toEqual([]);
});
