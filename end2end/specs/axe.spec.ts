import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { scenes } from '../support/scenes.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(400_000);

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

test('axe finds nothing on forms that came back, in open menus and on events in every state', async ({ page, portal, browser, scripts }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  for (const { name, show } of await scenes({ page, portal, browser, scripts })) {
    await show(page);
    expect.soft(await findings(page), name).toEqual([]);
  }
});
