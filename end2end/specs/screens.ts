import { join } from 'node:path';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { test } from '../support/test.ts';

/** Pictures go here; git does not see them. */
const FOLDER = join('report', 'screens');

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`pictures of every screen, ${colorScheme}, ${width} px`, async ({ page, portal }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await portal.offerDuplicates();
      const shoot = (name: string) =>
        page.screenshot({ path: join(FOLDER, `${name}-${width}-${colorScheme}.png`), fullPage: true, animations: 'disabled' });
      await page.goto('/sign-in');
      await shoot('sign-in');
      await signIn(page, 'administrator');
      await furnish(page, portal);
      for (const { name, path } of await screens(page, portal)) {
        await page.goto(path);
        await unfold(page);
        await shoot(name);
      }
    });
  }
}
