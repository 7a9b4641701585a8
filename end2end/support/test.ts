import { expect, test as base } from '@playwright/test';
import { Portal } from './portal.ts';

/** What a browser says on its console about answers that are not 2xx: the tests look at these themselves. */
const EXPECTED_ON_CONSOLE = /^Failed to load resource/;

interface Fixtures {
  /** What the portal's environment says besides. */
  environment: Record<string, string>;
  /** A portal of the test's own. */
  portal: Portal;
  /** Whether the browser runs scripts. */
  scripts: boolean;
  /** Faults that pages reported on the console: none is expected. */
  complaints: string[];
}

/** Tests with a portal of their own; `page` starts at its base URL. */
export const test = base.extend<Fixtures>({
  environment: async ({}, use) => use({}),
  portal: async ({ environment }, use, info) => {
    const portal = await Portal.start(environment);
    await use(portal);
    if (info.status !== info.expectedStatus) {
      await info.attach('portal.log', { body: portal.log(), contentType: 'text/plain' });
    }
    await portal.stop();
  },
  baseURL: async ({ portal }, use) => use(portal.url),
  scripts: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled ?? true),
  complaints: [
    async ({ context }, use) => {
      const complaints: string[] = [];
      context.on('weberror', (error) => complaints.push(String(error.error())));
      context.on('console', (message) => {
        if (message.type() === 'error' && !EXPECTED_ON_CONSOLE.test(message.text())) complaints.push(message.text());
      });
      await use(complaints);
      expect(complaints, 'pages complained on the console').toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
