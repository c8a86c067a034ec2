// The sounds that a page makes by itself.

import { expect, type BrowserContext, type Page } from '@playwright/test';

/** Notes every tone that pages opened from now on make, once the browser has played it to its end. */
export async function hear(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const played: number[] = [];
    Object.assign(window, { apartePlayed: played });
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (when) {
      this.addEventListener('ended', () => played.push(Math.round(this.frequency.value))); // a clock that stands still ends nothing
      start.call(this, when);
    };
  });
}

/** Waits until the page has played the pair of tones of a recording so many times. */
export async function expectRecordingSound(page: Page, times: number): Promise<void> {
  const played = (): Promise<number[]> => page.evaluate(() => (window as unknown as { apartePlayed: number[] }).apartePlayed.filter((hertz) => hertz === 196 || hertz === 165));
  await expect.poll(played, { message: 'the low pair of a recording' }).toEqual(Array.from({ length: times }, () => [196, 165]).flat());
}
