// What is left of a picture's detail and of a sound's noise, measured where they arrive.

import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, type BrowserContext, type Page } from '@playwright/test';

const run = promisify(execFile);
const folder = path.join(import.meta.dirname, '..', '.fixtures');

/** Mean step between neighbouring pixels, 0 to 255: of the strip at the left edge, where the checked wall is, and of the middle, where the face is. */
export interface Detail {
  wall: number;
  face: number;
  width: number;
}

/** Runs in the page: the detail of each video that matches. */
function detailOf(selector: string): Detail[] {
  const found: Detail[] = [];
  for (const video of document.querySelectorAll<HTMLVideoElement>(selector)) {
    if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
    const [width, height] = [video.videoWidth, video.videoHeight];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no canvas');
    context.drawImage(video, 0, 0);
    const measure = (x: number, y: number, w: number, h: number) => {
      const [columns, lines] = [Math.round(w * width), Math.round(h * height)];
      const { data } = context.getImageData(Math.round(x * width), Math.round(y * height), columns, lines);
      let sum = 0;
      for (let i = 0; i < lines; i++) for (let j = 1; j < columns; j++) sum += Math.abs((data[4 * (i * columns + j) + 1] ?? 0) - (data[4 * (i * columns + j) - 3] ?? 0));
      return sum / (lines * (columns - 1));
    };
    found.push({ wall: measure(0.02, 0.05, 0.18, 0.6), face: measure(0.43, 0.34, 0.14, 0.22), width });
  }
  return found;
}

export async function detail(page: Page, selector: string): Promise<Detail[]> {
  return page.evaluate(detailOf, selector);
}

/** From now on each page of the context keeps the sharpest wall that any picture of somebody else has shown. */
export async function watchWalls(context: BrowserContext): Promise<void> {
  await context.addInitScript(`${watch};${detailOf};watch(detailOf)`);
}

/** Runs in the page before its scripts. */
function watch(of: typeof detailOf): void {
  const kept: Walls = { most: 0, seen: 0 };
  Object.assign(window, { aparteTestWalls: kept });
  setInterval(() => {
    for (const { wall } of of('video:not(.mirror)')) {
      kept.most = Math.max(kept.most, wall);
      kept.seen++;
    }
  }, 100);
}

interface Walls { most: number; seen: number }

/** The sharpest wall since the page was opened or forgot, once there were so many looks at pictures. */
export async function sharpestWall(page: Page, looks: number): Promise<number> {
  const walls = () => page.evaluate(() => (window as unknown as { aparteTestWalls: Walls }).aparteTestWalls);
  await expect.poll(async () => (await walls()).seen, { message: 'looks at the wall', timeout: 30_000 }).toBeGreaterThanOrEqual(looks);
  return (await walls()).most;
}

export async function forgetWalls(page: Page): Promise<void> {
  await page.evaluate(() => Object.assign((window as unknown as { aparteTestWalls: Walls }).aparteTestWalls, { most: 0, seen: 0 }));
}

/** Seconds in one loop of the noisy microphone: noise alone, then a voice over the same noise. */
export const NOISE_LOOP = 6;

/** A microphone file in a noisy place, made at the first call. */
export async function noisyPlace(): Promise<string> {
  const file = path.join(folder, 'noisy.wav');
  if (await access(file).then(() => true, () => false)) return file;
  await mkdir(folder, { recursive: true });
  const [spoken, part] = [path.join(folder, `noisy.${process.pid}.voice.wav`), path.join(folder, `noisy.${process.pid}.part.wav`)];
  try {
    await run('espeak-ng', ['-v', 'en', '-s', '150', '-w', spoken, 'The fan is loud here today, but I can hear every word you say.']);
    await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', '-i', spoken, '-f', 'lavfi', '-i', `anoisesrc=c=white:a=0.05:r=48000:seed=7:d=${NOISE_LOOP}`,
      '-filter_complex', `[0]loudnorm=I=-18,aresample=48000,adelay=${NOISE_LOOP * 500},apad=whole_dur=${NOISE_LOOP},atrim=0:${NOISE_LOOP}[v];[v][1]amix=inputs=2:normalize=0`, '-ar', '48000', '-ac', '1', part]);
    await rename(part, file);
  } finally {
    await rm(spoken, { force: true });
    await rm(part, { force: true });
  }
  return file;
}

/** Loudness of what the page receives, in dBFS, in its quiet moments and in its loud ones, over a little more than a loop. */
export async function loudness(page: Page): Promise<{ quiet: number; loud: number }> {
  const levels = await page.evaluate(async (seconds) => {
    const connections = Reflect.get(window, Symbol.for('aparte.test.peerConnections')) as RTCPeerConnection[];
    const tracks = connections.filter((one) => one.connectionState === 'connected').flatMap((one) => one.getReceivers()).map((receiver) => receiver.track).filter((track) => track.kind === 'audio' && !track.muted);
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    for (const track of tracks) context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const found: number[] = [];
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      analyser.getFloatTimeDomainData(samples);
      found.push(10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length + 1e-10));
    }
    await context.close();
    return found;
  }, NOISE_LOOP + 0.5);
  levels.sort((a, b) => a - b);
  const at = (part: number) => levels[Math.floor(part * (levels.length - 1))] ?? NaN;
  return { quiet: at(0.2), loud: at(0.9) };
}
