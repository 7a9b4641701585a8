import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { scenes } from '../support/scenes.ts';
import { test } from '../support/test.ts';

/** Pictures go here; git does not see them. */
const FOLDER = join('report', 'screens');
const SIZES = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
];

/** A picture in each colour and size; the page is left wide and light. */
async function shoot(page: Page, name: string): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const path = join(FOLDER, `${name}-${size.width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    }
  }
}

test('pictures of every screen', async ({ page, portal }) => {
  await portal.offerDuplicates();
  await page.goto('/sign-in');
  await shoot(page, 'sign-in');
  await signIn(page, 'administrator');
  await furnish(page, portal);
  for (const { name, path } of await screens(page, portal)) {
    await page.goto(path);
    await unfold(page);
    await shoot(page, name);
  }
});

test('pictures of states that no address alone shows', async ({ page, portal, browser, scripts }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  for (const { name, show } of await scenes({ page, portal, browser, scripts })) {
    await show(page);
    await shoot(page, name);
  }
});
