// What a person's browser really receives: decoded pictures and sound.

import { expect, type Page } from '@playwright/test';
import jsqr from 'jsqr';
import { LOOP, type Side } from './fixtures.ts';

/** How long media may take to arrive on two busy cores; on a quiet machine it is under a second. */
export const MEDIA_LIMIT_MS = 30_000;

/** A picture as a <video> shows it, in grey. */
interface Picture {
  width: number;
  height: number;
  grey: string; // base64, one byte a pixel
}

export interface Mark {
  side: Side;
  frame: number;
}

/** The marks that can be read on the page's <video> elements now. */
export async function marks(page: Page): Promise<Mark[]> {
  const pictures = await page.evaluate(grab);
  return pictures.map(read).filter((mark) => mark !== undefined);
}

/** Runs in the page: draws every playing <video> into a canvas. */
function grab(): Picture[] {
  const pictures: Picture[] = [];
  for (const video of document.querySelectorAll('video')) {
    if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) continue;
    const width = Math.min(video.videoWidth, 640);
    const height = Math.round((width * video.videoHeight) / video.videoWidth);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no canvas');
    context.drawImage(video, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    let grey = '';
    for (let i = 0; i < data.length; i += 4) {
      grey += String.fromCharCode(((data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0)) / 3);
    }
    pictures.push({ width, height, grey: btoa(grey) });
  }
  return pictures;
}

function read({ width, height, grey }: Picture): Mark | undefined {
  return markOf(Buffer.from(grey, 'base64'), width, height);
}

/** The mark on a picture in grey, one byte a pixel. */
export function markOf(bytes: Uint8Array, width: number, height: number): Mark | undefined {
  const rgba = new Uint8ClampedArray(bytes.length * 4);
  const pixels = new Uint32Array(rgba.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = 0xff000000 | ((bytes[i] ?? 0) * 0x010101);
  const decode = jsqr as unknown as typeof jsqr.default;
  // Every code is dark on light; tests look again and again until there is one.
  const text = decode(rgba, width, height, { inversionAttempts: 'dontInvert' })?.data ?? '';
  const [, side, frame] = /^(HOST|GUEST|OTHER)-(\d{3})$/.exec(text) ?? [];
  return side ? { side: side as Side, frame: Number(frame) } : undefined;
}

/**
 * Waits until the page shows the moving picture of side: three frames, each
 * newer than the one before. The numbers run in a loop, so "newer" means less
 * than half a loop ahead.
 */
export async function expectPicture(page: Page, side: Side, limit = MEDIA_LIMIT_MS): Promise<void> {
  const seen: number[] = [];
  await expect
    .poll(
      async () => {
        const frame = (await marks(page)).find((mark) => mark.side === side)?.frame;
        const last = seen.at(-1);
        if (frame === undefined) return 0;
        if (last !== undefined && frame !== last && (frame - last + LOOP) % LOOP > LOOP / 2) seen.length = 0;
        if (frame !== last) seen.push(frame);
        return seen.length;
      },
      { message: `${side}'s moving picture, decoded`, timeout: limit, intervals: [100, 250] },
    )
    .toBeGreaterThanOrEqual(3);
}

/** Waits until the page shows a code of side, moving or not: a shared screen stands still. */
export async function expectCode(page: Page, side: Side): Promise<void> {
  await expect
    .poll(async () => (await marks(page)).map((mark) => mark.side), { message: `${side}'s code, decoded`, timeout: MEDIA_LIMIT_MS })
    .toContain(side);
}

/** What arrived over all of the page's peer connections so far. */
export interface Received {
  /** RTCPeerConnection objects that the page ever made. */
  connections: number;
  /** RTP packets received, sound and picture. */
  packets: number;
  framesDecoded: number;
  /** Sum of squared sound levels over time; grows only while somebody is heard. */
  audioEnergy: number;
  /** Present loudness of the loudest incoming sound, 0 to 1. */
  audioLevel: number;
  /** Bytes that came over data channels and media transports. */
  bytes: number;
}

export async function received(page: Page): Promise<Received> {
  return page.evaluate(async () => {
    const connections = Reflect.get(window, Symbol.for('aparte.test.peerConnections')) as RTCPeerConnection[];
    const sum: Received = { connections: connections.length, packets: 0, framesDecoded: 0, audioEnergy: 0, audioLevel: 0, bytes: 0 };
    for (const connection of connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'transport') sum.bytes += report.bytesReceived ?? 0;
        if (report.type !== 'inbound-rtp') continue;
        sum.packets += report.packetsReceived ?? 0;
        sum.framesDecoded += report.framesDecoded ?? 0;
        sum.audioEnergy += report.totalAudioEnergy ?? 0;
        sum.audioLevel = Math.max(sum.audioLevel, report.audioLevel ?? 0);
      }
    }
    return sum;
  });
}

/** Waits until the page hears speech: the energy of what it receives grows, and the level is that of a voice. */
export async function expectVoice(page: Page): Promise<void> {
  const before = await received(page);
  await expect
    .poll(async () => (await received(page)).audioEnergy - before.audioEnergy, {
      message: 'sound energy received', timeout: MEDIA_LIMIT_MS,
    })
    .toBeGreaterThan(0.01);
  await expect
    .poll(async () => (await received(page)).audioLevel, { message: 'loudness of what is received', timeout: MEDIA_LIMIT_MS })
    .toBeGreaterThan(0.02);
}
