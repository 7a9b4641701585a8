import type { Page } from '@playwright/test';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(120_000);

/** The elements that make the page wider than its window, outside of regions that scroll by themselves. */
function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const scrolls = (element: Element | null): boolean => {
      for (let at = element; at !== null && at !== document.body; at = at.parentElement) {
        if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(at).overflowX)) return true;
      }
      return false;
    };
    const wide = [...document.body.querySelectorAll('*')].filter(
      (one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement),
    );
    return [`${document.documentElement.scrollWidth} > ${width}`, ...wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 120))];
  });
}

for (const width of [320, 1600]) {
  test(`no page scrolls sideways at ${width} px`, async ({ page, portal }) => {
    await page.setViewportSize({ width, height: 900 });
    await portal.offerDuplicates();
    await signIn(page, 'administrator');
    await furnish(page, portal);
    const bad: Record<string, string[]> = {};
    for (const { name, path } of await screens(page, portal)) {
      await page.goto(path);
      await unfold(page);
      const wide = await tooWide(page);
      if (wide.length > 0) bad[name] = wide;
    }
    expect(bad).toEqual({});
  });
}

test('the main menu opens on a narrow screen, and the keyboard reaches the content first', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, 'administrator');
  const orders = page.getByRole('navigation', { name: 'Main menu' }).getByRole('link', { name: 'Orders' });
  await expect(orders).toBeHidden();
  await page.getByRole('button', { name: 'Main menu' }).click();
  await orders.click();
  await expect(page.getByRole('heading', { name: 'Orders', level: 1 })).toBeVisible();

  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();
});

test('colours are chosen in the top bar and stay', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.getByRole('button', { name: 'Dark colours' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.goto('/certificates/orders');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});
