// Where people stand on a call's stage.

import { expect, type Page } from '@playwright/test';

/** Waits until somebody's tile is more than twice as wide as any other: a narrow stage has no room for all of those. */
export async function expectInFront(page: Page, name: string): Promise<void> {
  const widths = () =>
    page.locator('.tile').evaluateAll((tiles, name) => {
      const all: [string, number][] = tiles.map((tile) => [tile.textContent?.includes(name) ? 'in front' : 'other', tile.getBoundingClientRect().width]);
      const most = (which: string) => Math.max(0, ...all.filter(([one]) => one === which).map(([, width]) => width));
      return { front: most('in front'), other: most('other'), tiles: all.length };
    }, name);
  await expect
    .poll(async () => {
      const { front, other, tiles } = await widths();
      return front > 2 * other && other > 0 ? 'in front' : `${front} pixels, ${other} the next, of ${tiles} tiles`;
    }, { message: `${name} is in front` })
    .toBe('in front');
}
