import type { Locator, Page } from '@playwright/test';
import { furnish, screens, unfold } from '../support/pages.ts';
import { signIn } from '../support/people.ts';
import { scenes } from '../support/scenes.ts';
import { expect, test } from '../support/test.ts';

test.setTimeout(300_000);

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

/** The tables that can't be seen whole without being pushed aside. */
function pushedAside(page: Page): Promise<string[]> {
  return page.locator('.table-region').evaluateAll((all) =>
    all
      .filter((one) => one.scrollWidth > one.clientWidth + 1)
      .map((one) => `${one.getAttribute('aria-label')}: ${one.scrollWidth} > ${one.clientWidth}`),
  );
}

/** The narrowest and the widest screen, a telephone and a desk. */
const WIDTHS = [320, 390, 1440, 1600];

/** What is wider than its place on the page as it is, in each width. */
async function misfits(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const wide = [...(await tooWide(page)), ...(await pushedAside(page))];
    found.push(...wide.map((what) => `${width} px: ${what}`));
  }
  return found;
}

test('no page and no table scrolls sideways', async ({ page, portal }) => {
  await portal.offerDuplicates();
  await page.goto('/sign-in');
  expect(await misfits(page)).toEqual([]);
  await signIn(page, 'administrator');
  await furnish(page, portal);
  for (const { name, path } of await screens(page, portal)) {
    await page.goto(path);
    await unfold(page);
    expect.soft(await misfits(page), name).toEqual([]);
  }
});

// The scenes wait for pages that follow their events; the HTML is the same without scripts.
test('no form that came back and no event scrolls sideways', { tag: '@scripts' }, async ({ page, portal, browser, scripts }) => {
  await portal.offerDuplicates();
  await signIn(page, 'administrator');
  for (const { name, show } of await scenes({ page, portal, browser, scripts })) {
    await page.setViewportSize({ width: 1280, height: 900 });
    await show(page);
    expect.soft(await misfits(page), name).toEqual([]);
  }
});

test('on a narrow screen the rows of a table are cards that name their columns', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, 'administrator');
  await page.goto('/certificates/orders?number=12345');
  const table = page.getByRole('table', { name: 'Orders' });
  const row = table.getByRole('row').filter({ has: page.getByRole('rowheader', { name: '12345' }) });
  const cell = row.getByRole('cell', { name: 'Standard SSL' });
  await expect(cell).toBeVisible();
  const box = await cell.boundingBox();
  expect((box?.x ?? 390) + (box?.width ?? 0)).toBeLessThan(390);
  expect(await cell.evaluate((one) => getComputedStyle(one, '::before').content)).toContain('Product');
  await table.getByRole('link', { name: 'Common name' }).click();
  await expect(page).toHaveURL(/sort=name/);
});

test('on a narrow screen more than two filters are folded, and open where one is set', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, 'administrator');
  await page.goto('/certificates/orders');
  const filters = page.getByRole('search', { name: 'Filter this list' });
  const status = filters.getByLabel('Status');
  await expect(status).toBeHidden();
  await expect(filters.getByRole('link', { name: 'Export CSV' })).toBeVisible();
  await expect(page.getByRole('rowheader').first()).toBeInViewport();
  await filters.getByText('Filters', { exact: true }).click();
  await status.selectOption('Revoked');
  await filters.getByRole('button', { name: 'Apply' }).click();
  await expect(page).toHaveURL(/status=revoked/);
  await expect(status).toHaveValue('revoked');
  await expect(status).toBeVisible();

  await page.goto('/account/api-keys');
  await expect(filters.getByLabel('Status'), 'two filters are no screenful').toBeVisible();
  await expect(filters.getByText('Filters', { exact: true })).toBeHidden();
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto('/certificates/orders');
  await expect(status).toBeVisible();
  await expect(filters.getByText('Filters', { exact: true })).toBeHidden();
});

/** The text of an element as it stands in lines. */
function linesOf(name: Locator): Promise<string[]> {
  return name.evaluate((one) => {
    const lines = new Map<number, string>();
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
      [...(text.textContent ?? '')].forEach((letter, at) => {
        const range = document.createRange();
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        const { top } = range.getBoundingClientRect();
        lines.set(top, (lines.get(top) ?? '') + letter);
      });
    }
    return [...lines.values()];
  });
}

test('a common name in Automated IPs stands in one line on a desk, and is broken at a dot elsewhere', async ({ page }) => {
  await signIn(page, 'administrator');
  await page.goto('/automation/endpoints');
  const table = page.getByRole('table', { name: 'Automated IPs' });
  for (const name of ['legacy.example.com', 'intranet.example.com']) {
    const shown = table.getByRole('cell', { name }).locator('.names');
    await page.setViewportSize({ width: 1440, height: 900 });
    expect(await linesOf(shown)).toEqual([name]);
    await page.setViewportSize({ width: 1200, height: 900 });
    const [first, ...more] = await linesOf(shown);
    expect([first, ...more].join('')).toBe(name);
    expect(more.length).toBeGreaterThan(0);
    for (const line of more) expect(line).toMatch(/^\./);
  }
});

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
