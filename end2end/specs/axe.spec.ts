import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(240_000);

/** What axe finds on the page as it is: the rule, and the elements. */
async function findings(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page });
  const { violations } = await (rules === undefined ? axe : axe.withRules(rules)).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.html.slice(0, 160)}`));
}

/** All rules in light colours; in dark ones the HTML is the same, and only what depends on colours can differ. */
const COLOURS = [
  { colorScheme: 'light', rules: undefined },
  { colorScheme: 'dark', rules: ['color-contrast', 'link-in-text-block'] },
] as const;
/** Each part is a test of its own, so that they run at the same time. */
const PARTS = 2;

for (const { colorScheme, rules } of COLOURS) {
  for (let part = 0; part < PARTS; part += 1) {
    test(`axe finds nothing on any page, ${colorScheme}, part ${part + 1} of ${PARTS}`, async ({ page, portal }) => {
      await page.emulateMedia({ colorScheme });
      await portal.offerDuplicates();
      const look = async (name: string) => expect.soft(await findings(page, rules && [...rules]), name).toEqual([]);
      await page.goto('/sign-in');
      await look('sign-in');
      await signIn(page, 'administrator');
      await furnish(page, portal);
      const all = await screens(page, portal);
      expect(all.length).toBeGreaterThan(50);
      for (const { name, path } of all.filter((_, at) => at % PARTS === part)) {
        await page.goto(path);
        await unfold(page);
        await look(name);
      }
    });
  }
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
