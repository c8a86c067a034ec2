import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  outputDir: 'test-results',
  // Two files at a time: one core is idle most of the time that a single one takes, since
  // pages wait for each other.
  workers: 2,
  fullyParallel: false,
  forbidOnly: Boolean(process.env['CI']),
  retries: 0,
  // Hang limits, not expectations of speed: at least four times what any test takes on a quiet machine of two cores.
  timeout: 300_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['html', { open: 'never', outputFolder: 'playwright-report' }], ['./support/conformance-reporter.ts']],
});
