// Looks at a page in several sizes and themes, and leaves it as it was: a picture of each, nothing to scroll sideways, and
// no finding of axe.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, type Locator, type Page } from '@playwright/test';
import { findings } from './axe.ts';

const folder = path.join(import.meta.dirname, '..', 'test-results', 'pages');
export const sizes = { phone: { width: 390, height: 844 }, laptop: { width: 1280, height: 800 }, large: { width: 1920, height: 1080 } } as const;

type View = [size: keyof typeof sizes, theme: 'light' | 'dark'];

// Each size and each theme once; colours and layout do not depend on one another.
const few: View[] = [['phone', 'dark'], ['laptop', 'light']];
const views = process.env['VIEWS'] === 'all' ? (Object.keys(sizes) as (keyof typeof sizes)[]).flatMap((size): View[] => [[size, 'light'], [size, 'dark']]) : few;

/** What is named is scrolled to for the picture. */
export async function look(page: Page, name: string, at?: Locator): Promise<void> {
  await mkdir(folder, { recursive: true });
  const before = page.viewportSize();
  for (const [size, theme] of views) {
    await page.setViewportSize(sizes[size]);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await at?.evaluate((element) => element.scrollIntoView());
    await page.screenshot({ path: path.join(folder, `${name}-${size}-${theme}-fr.png`) });
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect.soft(sideways, `pixels to scroll sideways: ${name}, ${size}`).toBeLessThanOrEqual(0);
    expect.soft(await findings(page), `accessibility: ${name}, ${size}, ${theme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before) await page.setViewportSize(before);
}
