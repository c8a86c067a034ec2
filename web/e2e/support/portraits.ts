// Drawn people for pictures that people look at, such as the README's: a code per frame is a poor face.

import { execFile } from 'node:child_process';
import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from '@playwright/test';

const run = promisify(execFile);
const folder = path.join(import.meta.dirname, '..', '.fixtures');

interface Look {
  wall: string;
  light: string;
  skin: string;
  hair: string;
  coat: string;
  shirt: string;
  long: boolean;
  thing: string;
}

const shelf = `<g transform="translate(930 120)"><rect width="260" height="300" rx="6" fill="#00000022"/>
${['#7a4b3a', '#31576b', '#8a7440', '#5b6b4a', '#6a4460', '#31576b', '#8a5540'].map((c, i) => `<rect x="${18 + i * 33}" y="${30 + (i % 3) * 9}" width="26" height="${100 - (i % 3) * 9}" fill="${c}"/><rect x="${18 + i * 33}" y="${175 + (i % 2) * 12}" width="26" height="${100 - (i % 2) * 12}" fill="${c}" opacity=".8"/>`).join('')}
<rect y="130" width="260" height="10" fill="#00000044"/><rect y="275" width="260" height="10" fill="#00000044"/></g>`;
const window_ = `<g transform="translate(90 90)"><rect width="270" height="330" rx="4" fill="#dbeaf2"/><path d="M0 240q70-60 140-10t130-20v120H0z" fill="#9fb9a5"/><path d="M135 0v330M0 165h270" stroke="#fff" stroke-width="12"/><rect width="270" height="330" rx="4" fill="none" stroke="#fff" stroke-width="16"/></g>`;
const plant = `<g transform="translate(1010 330)"><path d="M60 160C10 110 0 60 20 0c40 40 50 90 45 160zM70 160c-10-70 10-130 60-160 15 60-5 120-50 160z" fill="#4d7a55"/><path d="M20 150h100l-14 110H34z" fill="#b0714f"/></g>`;

// Fine enough that any blur takes it away, coarse enough for the smallest picture that is sent.
const checks = `<defs><pattern id="c" width="32" height="32" patternUnits="userSpaceOnUse"><path d="M0 0h16v16H0zM16 16h16v16H16z" fill="#2b2f36"/></pattern></defs><rect width="1280" height="720" fill="url(#c)"/>`;

const looks = {
  agent: { wall: '#cfc6b8', light: '#e7e0d5', skin: '#e3b193', hair: '#4a2f24', coat: '#22384a', shirt: '#f3f1ec', long: true, thing: window_ + shelf },
  guest: { wall: '#a9bcc0', light: '#c9d7d8', skin: '#a9714e', hair: '#201a1a', coat: '#5a4a63', shirt: '#d9dfe8', long: false, thing: plant },
  // Before a wall of fine checks, for tests of what becomes of it.
  checked: { wall: '#d8d4cc', light: '#ece9e4', skin: '#d9a583', hair: '#3a2a20', coat: '#27405a', shirt: '#f3f1ec', long: false, thing: checks },
} satisfies Record<string, Look>;

export type Portrait = keyof typeof looks;

function draw({ wall, light, skin, hair, coat, shirt, long, thing }: Look): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" width="1280" height="720">
<defs><radialGradient id="g" cx=".4" cy=".3" r=".9"><stop offset="0" stop-color="${light}"/><stop offset="1" stop-color="${wall}"/></radialGradient></defs>
<rect width="1280" height="720" fill="url(#g)"/>${thing}
${long ? `<path d="M470 330c-30-190 60-250 170-250s200 60 170 250c-8 90 20 150 30 200H440c10-50 38-110 30-200z" fill="${hair}"/>` : ''}
<path d="M300 720c10-140 90-190 220-215h240c130 25 210 75 220 215z" fill="${coat}"/>
<path d="M560 500l80 120 80-120-20-40H580z" fill="${shirt}"/><path d="M575 400h130v90q-65 60-130 0z" fill="${skin}"/><path d="M575 430q65 50 130 0v20q-65 50-130 0z" fill="#00000022"/>
<path d="M520 505l-40 60 110 155h50zM760 505l40 60-110 155h-50z" fill="#00000022"/>
<ellipse cx="640" cy="300" rx="122" ry="152" fill="${skin}"/>
<path d="${long ? 'M515 300c-10-130 60-185 125-185s140 55 125 185c-25-70-60-110-90-120-40 40-110 60-160 120z' : 'M512 290c-15-140 55-190 128-190s145 50 128 190c-10-50-25-80-45-95-50 15-120 15-165 0-20 15-38 45-46 95z'}" fill="${hair}"/>
<g fill="#2a211d"><ellipse cx="592" cy="300" rx="10" ry="11"/><ellipse cx="688" cy="300" rx="10" ry="11"/></g>
<path d="M568 270q24-16 48 0M664 270q24-16 48 0" fill="none" stroke="${hair}" stroke-width="8" stroke-linecap="round"/>
<path d="M640 305q-14 40-4 48h14" fill="none" stroke="#00000044" stroke-width="6" stroke-linecap="round"/>
<path d="M596 385q44 34 88 0" fill="#f7efe9" stroke="#8c4a42" stroke-width="7" stroke-linejoin="round"/></svg>`;
}

/** A camera file of a drawn person, gently moving, in so many lines; made at the first call. */
export async function portrait(who: Portrait, browser: Browser, lines = 720): Promise<string> {
  const film = path.join(folder, `portrait-${who}-${lines}.mjpeg`);
  if (await access(film).then(() => true, () => false)) return film;
  await mkdir(folder, { recursive: true });
  const still = path.join(folder, `portrait-${who}-${lines}.png`);
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.setContent(`<style>body{margin:0}</style>${draw(looks[who])}`);
  await page.screenshot({ path: still });
  await page.close();
  const part = path.join(folder, `portrait-${who}-${lines}.part.mjpeg`);
  await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', '-loop', '1', '-i', still, '-frames:v', '90', '-r', '15',
    '-vf', `scale=1340:-1,crop=1280:720:'30+12*sin(n*2*PI/90)':'16+6*sin(n*4*PI/90)',scale=-2:${lines}`, '-pix_fmt', 'yuvj420p', '-q:v', '4', '-f', 'mjpeg', part]);
  await rename(part, film);
  return film;
}
