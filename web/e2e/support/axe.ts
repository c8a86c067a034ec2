// What axe finds. It runs in the page itself: its wrapper for Playwright opens another window for every look,
// to join what was found in several frames, and our pages have none.

import { expect, type Page } from '@playwright/test';
import axe from 'axe-core';

declare global {
  interface Window {
    axe?: typeof axe;
  }
}

/** Each finding on the page as it stands: the rule, what it wants, and the element. */
export async function findings(page: Page): Promise<string[]> {
  expect(page.frames().length, 'frames, into which axe would not look').toBe(1);
  if (!(await page.evaluate(() => window.axe !== undefined))) await page.evaluate(axe.source);
  return page.evaluate(async () => {
    if (!window.axe) throw new Error('axe did not start');
    const { violations } = await window.axe.run({ resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id} (${help}): ${html}`));
  });
}
