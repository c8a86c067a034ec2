// What the browsers' cameras show and their microphones hear.
//
// Every frame of a camera file carries a QR code that says whose camera it is
// and which frame of the loop it is: "HOST-017". A test that reads the code
// off the *other* browser's decoded picture has seen media arrive, and knows
// from whom. The files are made once with ffmpeg and espeak-ng and kept in
// .fixtures/ (not in git); deleting the folder makes them anew.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { encode } from 'uqr';

const run = promisify(execFile);

/** Whose camera and microphone. */
export type Side = 'HOST' | 'GUEST' | 'OTHER';

/** Frames in one loop of a camera file; numbers run from 0 to LOOP-1 and start again. */
export const LOOP = 120;
/** Frames a second. Two cores encode and decode for up to six people. */
export const RATE = 15;

// Two simulcast layers are published from 640x360, and two cores carry four of them.
const WIDTH = 640;
const HEIGHT = 360;

const sentences: Record<Side, { voice: string; text: string }> = {
  HOST: {
    voice: 'fr',
    text: 'Bonjour, ici l’ambassade. Je vous entends et je vous vois. Nous pouvons commencer la réunion, prenez votre temps.',
  },
  GUEST: {
    voice: 'en',
    text: 'Good morning, this is the guest speaking. Thank you for letting me in. I can hear you, and I can see your picture.',
  },
  OTHER: { voice: 'en', text: 'A third person is talking now, from somewhere else, with quite another sentence.' },
};

// Colours around the code, so that a person looking at a screenshot can tell the sides apart.
const grounds: Record<Side, [cb: number, cr: number]> = {
  HOST: [150, 110],
  GUEST: [105, 155],
  OTHER: [110, 110],
};

const folder = path.join(import.meta.dirname, '..', '.fixtures');

export interface Capture {
  video: string;
  audio: string;
}

/** The camera and microphone files of a side, made at the first call. */
export async function capture(side: Side): Promise<Capture> {
  await mkdir(folder, { recursive: true });
  const video = path.join(folder, `${side}.y4m`);
  const audio = path.join(folder, `${side}.wav`);
  await make(video, (part) => film(side, part));
  await make(audio, (part) => speech(side, part));
  return { video, audio };
}

/** Makes a file under another name first, so that an interrupted run leaves no half of one. */
async function make(file: string, into: (part: string) => Promise<void>): Promise<void> {
  if (await access(file).then(() => true, () => false)) return;
  const { dir, name, ext } = path.parse(file);
  const part = path.join(dir, `${name}.${process.pid}.part${ext}`);
  try {
    await into(part);
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
}

/** Not compressed, because Chromium shows such a file at its own rate; it shows motion JPEG 30 times a second. */
async function film(side: Side, file: string): Promise<void> {
  const out = createWriteStream(file);
  out.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${RATE}:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < LOOP; frame++) {
    out.write('FRAME\n');
    if (!out.write(picture(side, frame))) await once(out, 'drain');
  }
  out.end();
  await finished(out);
}

/** One frame, planar YUV 4:2:0: the code in the middle, black on white, colour left and right. */
function picture(side: Side, frame: number): Buffer {
  const code = encode(`${side}-${String(frame).padStart(3, '0')}`, { ecc: 'M', border: 3 });
  const cell = Math.floor(HEIGHT / code.size);
  const left = (WIDTH - cell * code.size) >> 1;
  const top = (HEIGHT - cell * code.size) >> 1;
  const luma = Buffer.alloc(WIDTH * HEIGHT, 130);
  for (let y = 0; y < cell * code.size; y++) {
    const row = code.data[Math.floor(y / cell)];
    for (let x = 0; x < cell * code.size; x++) {
      luma[(top + y) * WIDTH + left + x] = row?.[Math.floor(x / cell)] ? 16 : 235;
    }
  }
  const [cb, cr] = grounds[side];
  const plane = (value: number) => {
    const chroma = Buffer.alloc((WIDTH / 2) * (HEIGHT / 2), value);
    const from = left >> 1;
    const to = (left + cell * code.size) >> 1;
    for (let y = 0; y < HEIGHT / 2; y++) chroma.fill(128, (y * WIDTH) / 2 + from, (y * WIDTH) / 2 + to);
    return chroma;
  };
  return Buffer.concat([luma, plane(cb), plane(cr)]);
}

async function speech(side: Side, file: string): Promise<void> {
  const { voice, text } = sentences[side];
  const spoken = `${file}.espeak.wav`;
  try {
    await run('espeak-ng', ['-v', voice, '-s', '150', '-w', spoken, text]);
    // Chromium's fake microphone wants 48 kHz; the loudness is that of a person close by.
    await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', '-i', spoken,
      '-af', 'loudnorm=I=-18', '-ar', '48000', '-ac', '1', file]);
  } finally {
    await rm(spoken, { force: true });
  }
}
