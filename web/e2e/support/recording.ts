// A recording, from the sealed files on the server's disk to pictures and sound, with the commands that an archive has.

import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { capture, type Side } from './fixtures.ts';
import { markOf, type Mark } from './media.ts';
import { binary, type Server } from './server.ts';

const run = promisify(execFile);

/** What `aparte record export` says of a file that it made. */
export interface Exported {
  file: string;
  identity: string;
  source: string;
  codec: string;
  start: number;
  duration: number;
}

export interface Index {
  duration: number;
  people: { identity: string; name: string }[];
  files: Exported[];
  skipped?: unknown[];
  events: { at: number; kind: string; identity?: string; name?: string; answer?: string; text?: string }[];
}

/** The folders of recordings that a server has, if any. */
export async function recordings(server: Server): Promise<string[]> {
  const folder = path.join(server.data, 'recordings');
  return (await readdir(folder).catch(() => [])).map((name) => path.join(folder, name));
}

/** The files of a recording with their sizes in bytes. */
export async function parts(recording: string): Promise<{ file: string; size: number }[]> {
  const names = (await readdir(recording)).filter((name) => name.endsWith('.tar')).sort();
  return Promise.all(names.map(async (name) => ({ file: path.join(recording, name), size: (await stat(path.join(recording, name))).size })));
}

/** Verifies a recording and takes it apart, as whoever has the archive's key does; what comes out lies in folder. */
export async function takeApart(server: Server, recording: string, folder: string): Promise<{ verified: string; index: Index; out: string }> {
  const nodeKey = path.join(server.data, 'node-key.json');
  const { stdout: verified } = await run(binary, ['record', 'verify', recording, '--node-key', nodeKey]);
  const open = path.join(folder, 'open');
  const out = path.join(folder, 'out');
  await run(binary, ['record', 'open', recording, '-i', path.join(server.data, 'archive.key'), '-o', open, '--node-key', nodeKey]);
  await run(binary, ['record', 'export', open, '-o', out]);
  return { verified, index: JSON.parse(await readFile(path.join(out, 'index.json'), 'utf8')) as Index, out };
}

/** What `aparte record compose` makes of a recording. */
export interface Film {
  file: string;
  said: string;
  captions: string;
  duration: number;
  chapters: string[];
}

/** Makes one film of a recording, as whoever has the archive's key does. */
export async function composed(server: Server, recording: string, folder: string): Promise<Film> {
  const out = path.join(folder, 'film');
  const { stdout: said } = await run(binary, ['record', 'compose', recording, '-i', path.join(server.data, 'archive.key'), '-o', out,
    '--node-key', path.join(server.data, 'node-key.json')], { maxBuffer: 1 << 24 });
  const file = path.join(out, 'meeting.webm');
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_format', '-show_chapters', '-of', 'json', file]);
  const about = JSON.parse(stdout) as { format: { duration: string }; chapters: { tags: { title: string } }[] };
  return {
    file, said, captions: await readFile(path.join(out, 'meeting.vtt'), 'utf8'),
    duration: Number(about.format.duration), chapters: about.chapters.map(({ tags }) => tags.title),
  };
}

const WIDTH = 640;
const HEIGHT = 360;

/** A part of a picture, as ffmpeg's crop has it: width, height, left, top. */
export type Part = `${number}:${number}:${number}:${number}`;

/**
 * The marks on a film's pictures, or on a part of them, four a second, decoded by ffmpeg; undefined where a picture bears none
 * that can be read.
 */
export async function marksIn(file: string, part?: Part): Promise<(Mark | undefined)[]> {
  const crop = part ? `crop=${part},` : '';
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-vf', `fps=4,${crop}scale=${WIDTH}:${HEIGHT},format=gray`, '-f', 'rawvideo', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 28 });
  const all: (Mark | undefined)[] = [];
  for (let at = 0; at + WIDTH * HEIGHT <= stdout.length; at += WIDTH * HEIGHT) all.push(markOf(stdout.subarray(at, at + WIDTH * HEIGHT), WIDTH, HEIGHT));
  return all;
}

/** The mark on a part of the picture that a page's film shows now. */
export async function markShown(page: Page, part: Part): Promise<Mark | undefined> {
  const [width = 0, height = 0, left = 0, top = 0] = part.split(':').map(Number);
  const grey = await page.getByTestId('film').evaluate((film: HTMLVideoElement, [w, h, x, y]) => {
    const context = new OffscreenCanvas(w, h).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no canvas');
    context.drawImage(film, x, y, w, h, 0, 0, w, h);
    const { data } = context.getImageData(0, 0, w, h);
    let bytes = '';
    for (let i = 0; i < data.length; i += 4) bytes += String.fromCharCode(((data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0)) / 3);
    return btoa(bytes);
  }, [width, height, left, top] as [number, number, number, number]);
  return markOf(Buffer.from(grey, 'base64'), width, height);
}

const PER_SECOND = 50;

/** How loud a file is, fifty times a second. */
async function loudness(file: string): Promise<number[]> {
  const rate = 8000;
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-af', 'aresample=async=1:first_pts=0', '-ac', '1', '-ar', String(rate), '-f', 's16le', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 28 });
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1);
  const window = rate / PER_SECOND;
  const all: number[] = [];
  for (let at = 0; at + window <= samples.length; at += window) {
    let sum = 0;
    for (const one of samples.subarray(at, at + window)) sum += one * one;
    all.push(Math.log10(1 + Math.sqrt(sum / window)));
  }
  return all;
}

function correlation(a: number[], b: number[]): number {
  const mean = (list: number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((one, i) => {
    const [x, y] = [one - ma, (b[i] ?? mb) - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  });
  return ab / Math.sqrt(aa * bb || 1);
}

/**
 * How well a recorded voice goes with what each microphone says over and over, from -1 to 1: the four seconds of it that go best
 * with any, by loudness, at the place where they go best. On a busy machine a microphone stutters, and not all of it is clear.
 */
export async function likeness(file: string): Promise<Record<Side, number>> {
  const heard = await loudness(file);
  const long = PER_SECOND * 4;
  if (heard.length < PER_SECOND + long) throw new Error(`${file} has ${heard.length / PER_SECOND} seconds of sound`);
  const loops = await Promise.all((['HOST', 'GUEST', 'OTHER'] as const).map(async (side) => {
    const said = await loudness((await capture(side)).audio);
    return { said, loop: [...said, ...said] };
  }));
  let best: number[] = [];
  for (let at = PER_SECOND; at + long <= heard.length; at += PER_SECOND / 2) {
    const some = heard.slice(at, at + long);
    const like = loops.map(({ said, loop }) => Math.max(...said.map((_, from) => correlation(some, loop.slice(from, from + long)))));
    if (best.length === 0 || Math.max(...like) > Math.max(...best)) best = like;
  }
  return { HOST: best[0] ?? NaN, GUEST: best[1] ?? NaN, OTHER: best[2] ?? NaN };
}

const RATE = 8000;

/** The samples of a file's sound; what is missing is silence, to the packet. */
async function samplesOf(file: string): Promise<Int16Array> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-af', 'aresample=async=1:first_pts=0:min_hard_comp=0.015', '-ac', '1', '-ar', String(RATE), '-f', 's16le', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 28 });
  return new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1);
}

/** How much of a sound's power a voice that begins so many samples later accounts for, 0 to 1, from one sample to another. */
function share(sound: Int16Array, voice: Int16Array, later: number, from: number, to: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = from; i < to; i++) {
    const [x, y] = [sound[i] ?? 0, voice[i - later] ?? 0];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return (ab * ab) / (aa * bb || 1);
}

/**
 * How much of a film's sound each of these voices accounts for, 0 to 1, at its place to some milliseconds. Different people's
 * voices have nothing to do with each other, so that together they account for all of it, if nobody else is heard.
 */
export async function shares(film: string, voices: { file: string; start: number }[]): Promise<number[]> {
  const sound = await samplesOf(film);
  const second = (n: number) => [n * RATE, (n + 1) * RATE] as const;
  const seconds = Array.from({ length: Math.floor(sound.length / RATE) - 2 }, (_, n) => n + 1);
  return Promise.all(voices.map(async ({ file, start }) => {
    const voice = await samplesOf(file);
    const lags = Array.from({ length: (RATE * 40) / 1000 }, (_, n) => Math.round(start * RATE) + n - (RATE * 15) / 1000);
    const best = lags.reduce((a, b) => (share(sound, voice, b, RATE, 3 * RATE) > share(sound, voice, a, RATE, 3 * RATE) ? b : a));
    // Loudness is evened out, so that a voice's own changes a little: each second is told by itself.
    return seconds.reduce((sum, n) => sum + share(sound, voice, best, ...second(n)), 0) / seconds.length;
  }));
}
