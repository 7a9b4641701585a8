import { defineConfig } from '@playwright/test';

/** The system's Chromium: nothing is downloaded. */
const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** `npm run screens` takes pictures instead of testing. */
const screens = process.env['CERTDECK_SCREENS'] === '1';

export default defineConfig({
  testDir: 'specs',
  outputDir: 'test-results',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: {
    launchOptions: { executablePath, args },
    locale: 'en-US',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 900 },
    contextOptions: { reducedMotion: 'reduce' },
    actionTimeout: 10_000,
    navigationTimeout: 20_000,
    screenshot: 'only-on-failure',
    // Recording takes a quarter of the time of everything.
    trace: process.env['CERTDECK_TRACE'] === '1' ? 'retain-on-failure' : 'off',
  },
  projects: screens
    ? [{ name: 'screens', testMatch: 'screens.ts', timeout: 900_000 }]
    : [
        { name: 'wasm', use: { javaScriptEnabled: true } },
        // What only scripts can do is tagged; axe needs scripts and sees the same HTML.
        { name: 'plain', use: { javaScriptEnabled: false }, testIgnore: 'axe.spec.ts', grepInvert: /@scripts/ },
      ],
});
