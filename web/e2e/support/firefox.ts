// Firefox ESR as Debian packages it, led by Puppeteer over WebDriver BiDi: Playwright only knows a
// Firefox of its own make, and downloads it.

import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import puppeteer, { type Browser } from 'puppeteer-core';
import type { Ground } from './guest.ts';
import { installLab } from './lab.ts';
import type { SDKPage } from './sdk.ts';

export const firefox = process.env['FIREFOX'] ?? ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find((path) => existsSync(path)) ?? 'firefox-esr';

/** Starting takes seconds on two busy cores. */
const START_LIMIT_MS = 90_000;

export interface FirefoxPage extends Ground {
  leave(): Promise<void>;
}

/** Where the server has to listen: Firefox finds no way from its own address to loopback. */
export function mediaAddresses(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return ['127.0.0.1', ...own.filter((address) => address.family === 'IPv4' && !address.internal).map((address) => address.address)];
}

/** Starts a new Firefox. */
export async function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: firefox,
    headless: true,
    timeout: START_LIMIT_MS,
    protocolTimeout: 120_000,
    extraPrefsFirefox: {
      // As a person would have answered, with a microphone that is none.
      'media.navigator.permission.disabled': true,
      'media.navigator.streams.fake': true,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      // Media stays on this machine, see mediaAddresses.
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      // The page is never in front of anybody.
      'dom.min_background_timeout_value': 4,
      'dom.timeout.enable_budget_timer_throttling': false,
    },
  });
}

/** Opens livekit-client and the lab in a new Firefox. */
export async function openFirefox(sdk: SDKPage): Promise<FirefoxPage> {
  const browser = await launchFirefox();
  const page = await browser.newPage();
  await page.goto(sdk.url);
  await page.evaluate(installLab);
  return {
    // Puppeteer's types know handles, which nothing here uses.
    evaluate: (work, argument) => page.evaluate(work as never, argument) as never,
    leave: () => browser.close(),
  };
}
