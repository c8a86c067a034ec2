// A host watches a recording on a server that has a key of its own: it is made into a film, which comes in pieces and plays.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { Host } from './support/people.ts';
import { markShown, parts, recordings } from './support/recording.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let folder: string;

test.beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'aparte-watching-'));
  server = await Server.start(['127.0.0.1'], '--recordings-server-key', path.join(folder, 'server.key'));
  host = await Host.arrive();
  await host.signIn(server);
});

test.afterEach(async () => {
  await host?.leave();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('a host watches a recording where it is kept', async () => {
  const { page } = host;
  await host.createMeeting('Coopération consulaire');
  await host.enter();
  await page.getByRole('button', { name: 'Plus', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Enregistrement…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('À quoi servira l’enregistrement ?').fill('Compte rendu');
  await dialog.getByRole('button', { name: 'Demander à chacun' }).click();
  await expect(dialog, 'whoever is asked reads it').toContainText('Les hôtes pourront le regarder sur le serveur, qui en détient une clé.');
  await dialog.getByRole('button', { name: 'J’accepte' }).click();
  await dialog.getByRole('button', { name: 'Commencer l’enregistrement' }).click();
  await expect.poll(async () => (await recordings(server)).length).toBe(1);
  const recording = (await recordings(server))[0] ?? '';
  await expect.poll(async () => (await parts(recording))[0]?.size ?? 0, { message: 'bytes on the disk', timeout: 60_000 }).toBeGreaterThan(400_000);
  await dialog.getByRole('button', { name: 'Arrêter l’enregistrement' }).click();
  await expect(page.getByTestId('recording')).toHaveCount(0);

  const pieces: number[] = [];
  page.on('response', (answer) => {
    if (answer.url().endsWith('/film')) pieces.push(answer.status());
  });
  await page.goto(`${server.url}/meetings/${host.meeting}`);
  await page.getByRole('region', { name: 'Enregistrements' }).getByRole('link', { name: 'Regarder' }).click();
  const film = page.getByTestId('film');
  await expect(film, 'the film is made').toBeVisible({ timeout: 90_000 });
  const now = () => film.evaluate((one: HTMLVideoElement) => one.currentTime);
  // It lasts some seconds, and is not to be over before it is paused.
  await film.evaluate((one: HTMLVideoElement) => void (one.loop = true));
  await page.getByRole('button', { name: 'Lire' }).press('Enter');
  await expect.poll(now, { message: 'it plays' }).toBeGreaterThan(1);
  await page.getByRole('button', { name: 'Pause' }).press('Enter');
  await expect.poll(async () => (await markShown(page, '1280:720:0:0'))?.side, { message: 'the picture is the host’s' }).toBe('HOST');
  await page.getByRole('navigation', { name: 'Chapitres' }).getByRole('button').first().press('Enter');
  await expect.poll(now, { message: 'a chapter leads to its beginning' }).toBeLessThan(0.1);
  const cues = await film.evaluate(({ textTracks: [track] }: HTMLVideoElement) => [track?.mode, [...(track?.cues ?? [])].map((cue) => (cue as VTTCue).text).join(' ')] as const);
  expect(cues[0]).toBe('showing');
  expect(cues[1]).toContain(host.name);
  expect(pieces, 'it comes in pieces').toContain(206);
  await look(page, 'film');

  // For somebody with PowerPoint: the one that is there stays until the other is.
  await page.getByRole('button', { name: 'Autre présentation ou format' }).press('Enter');
  const how = page.getByRole('alertdialog');
  await how.getByRole('radio', { name: 'MP4, pour PowerPoint et la plupart des logiciels' }).check();
  await how.getByRole('radio', { name: 'La personne qui parle en grand' }).check();
  await how.getByRole('button', { name: 'Faire ce film' }).press('Enter');
  await expect(page.getByText('Le film ci-dessus reste jusqu’à ce que le nouveau soit là.')).toBeVisible();
  await expect(film, 'the one that is there').toBeVisible();
  await expect(page.getByRole('definition').filter({ hasText: 'MP4' }), 'the other is there').toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Lire' }).press('Enter');
  await expect.poll(now, { message: 'it plays' }).toBeGreaterThan(0.5);
  await expect.poll(async () => (await markShown(page, '1280:720:0:0'))?.side, { message: 'the picture is the host’s' }).toBe('HOST');
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Télécharger le film' }).press('Enter');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Télécharger' }).press('Enter');
  const file = await (await saved).path();
  expect((await saved).suggestedFilename(), 'its name').toMatch(/\.mp4$/);
  expect((await readFile(file)).subarray(4, 8).toString(), 'what it is').toBe('ftyp');
  const stranger = await fetch(new URL((await film.getAttribute('src')) ?? '', server.url));
  expect(stranger.status, 'a stranger').toBe(401);
  expect((await readFile(path.join(recording, 'film', 'film-2.age'))).subarray(0, 18).toString(), 'on the disk').toBe('age-encryption.org');
});
