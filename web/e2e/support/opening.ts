// A recording that is opened in a browser: what is seen and heard of it, and what left the page meanwhile.

import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';
import type { Exported } from './recording.ts';

/** Everything that a context asks of the network, as it is sent: of pages, workers and service workers. */
export class Sent {
  readonly all: string[] = [];
  constructor(context: BrowserContext) {
    context.on('request', (request) => this.all.push([request.method(), request.url(), JSON.stringify(request.headers()), request.postData() ?? ''].join(' ')));
  }
}

/** Everything that a page keeps: storages, databases, caches, files of its own, cookies, history. */
export async function kept(page: Page): Promise<string> {
  const own = await page.evaluate(async () => {
    const names: string[] = [location.href, JSON.stringify(history.state), JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
    for (const { name } of await indexedDB.databases()) names.push(`database ${name}`);
    for (const name of await caches.keys()) names.push(`cache ${name}`);
    const folder = (await navigator.storage.getDirectory()) as unknown as { keys: () => AsyncIterable<string> };
    for await (const name of folder.keys()) names.push(`file ${name}`);
    for (const one of await navigator.serviceWorker.getRegistrations()) names.push(`service worker ${one.scope}`);
    return names.join('\n');
  });
  return own + JSON.stringify(await page.context().cookies());
}

/** How loud each sound of the page is now (root of the mean square), by file; it is taken from the element, as it plays. */
export async function loudness(page: Page): Promise<Record<string, number>> {
  return page.evaluate(async () => {
    const context = new AudioContext();
    await context.resume();
    const measured = [...document.querySelectorAll('audio')].map((audio) => {
      const stream = (audio as unknown as { captureStream: () => MediaStream }).captureStream();
      const analyser = context.createAnalyser();
      analyser.fftSize = 32768;
      context.createMediaStreamSource(stream).connect(analyser);
      return { file: audio.dataset['file'] ?? '', analyser };
    });
    await new Promise((done) => setTimeout(done, 900));
    const loud = measured.map(({ file, analyser }) => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return [file, Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length)] as const;
    });
    await context.close();
    return Object.fromEntries(loud);
  });
}

/** Where in the recording each element is that plays, in seconds. */
export async function places(page: Page, files: readonly Exported[]): Promise<number[]> {
  const at = await page.evaluate(() => [...document.querySelectorAll('video, audio')].filter((one) => !(one as HTMLMediaElement).paused).map((one) => [(one as HTMLElement).dataset['file'] ?? '', (one as HTMLMediaElement).currentTime] as const));
  return at.map(([file, time]) => time + (files.find((one) => one.file === file)?.start ?? NaN));
}

/** The control that says and sets where one is. */
export const seekBar = (page: Page): Locator => page.getByRole('slider', { name: 'Moment' });

/** Moves there as with the mouse. */
export async function seek(page: Page, seconds: number): Promise<void> {
  await seekBar(page).fill(String(seconds));
  await expect(seekBar(page)).toHaveValue(String(seconds));
}
