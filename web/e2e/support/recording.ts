// A recording, from the sealed files on the server's disk to pictures and sound, with the commands that an archive has.

import { execFile } from 'node:child_process';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
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
  events: { at: number; kind: string; identity?: string; name?: string; answer?: string }[];
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

const WIDTH = 640;
const HEIGHT = 360;

/** The marks on a film's pictures, four a second, decoded by ffmpeg; undefined where a picture bears none that can be read. */
export async function marksIn(file: string): Promise<(Mark | undefined)[]> {
  const { stdout } = await run('ffmpeg', ['-v', 'error', '-i', file, '-vf', `fps=4,scale=${WIDTH}:${HEIGHT},format=gray`, '-f', 'rawvideo', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 28 });
  const all: (Mark | undefined)[] = [];
  for (let at = 0; at + WIDTH * HEIGHT <= stdout.length; at += WIDTH * HEIGHT) all.push(markOf(stdout.subarray(at, at + WIDTH * HEIGHT), WIDTH, HEIGHT));
  return all;
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
 * How well a recorded voice goes with what each microphone says over and over, from -1 to 1: four seconds of it, by loudness,
 * at the place where they go best.
 */
export async function likeness(file: string): Promise<Record<Side, number>> {
  const heard = (await loudness(file)).slice(PER_SECOND, PER_SECOND * 5);
  if (heard.length < PER_SECOND * 4) throw new Error(`${file} has ${heard.length / PER_SECOND} seconds of sound after its first`);
  const of = async (side: Side) => {
    const said = await loudness((await capture(side)).audio);
    const loop = [...said, ...said];
    return Math.max(...said.map((_, from) => correlation(heard, loop.slice(from, from + heard.length))));
  };
  return { HOST: await of('HOST'), GUEST: await of('GUEST'), OTHER: await of('OTHER') };
}
