// A meeting in which everybody but hosts waits: an agent who was named waits as a guest does, is let in by the keyboard, is
// sent back, removed and refused, each with a page of its own.

import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { expectCode } from './support/media.ts';
import { Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let agent: Host | undefined;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
});

test.afterEach(async () => {
  await agent?.leave();
  await host?.leave();
  await server?.stop();
});

/** Makes a profile like the standard one in which everybody but hosts waits, and puts the meeting under it. */
async function closeLobby(host: Host): Promise<void> {
  const status = await host.page.evaluate(async (meeting) => {
    const call = (method: string, path: string, body?: unknown) => fetch(`/api/v1${path}`, { method, ...(body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}) });
    const { post } = (await (await call('GET', `/meetings/${meeting}`)).json()) as { post: string };
    const { profiles } = (await (await call('GET', `/profiles?post=${post}`)).json()) as { profiles: { id: string; rules: Record<string, unknown> }[] };
    const rules = { ...profiles.find(({ id }) => id === 'standard')?.rules, lobby: 'all-but-hosts' };
    const text = { fr: 'Comité restreint', en: 'Inner circle' };
    const sentence = { fr: 'Tous sauf les hôtes passent par la salle d’attente.', en: 'Everybody but hosts goes through the waiting room.' };
    const made = await call('POST', `/profiles?post=${post}`, { id: 'inner', name: text, sentence, rules });
    const chosen = await call('PUT', `/meetings/${meeting}/profile`, { profile: 'inner' });
    return [made.status, chosen.status];
  }, host.meeting);
  expect(status).toEqual([201, 200]);
}

test('an agent waits where everybody but hosts does, and is let in, sent back, removed and refused', async () => {
  test.setTimeout(400_000);
  await host.signIn(server);
  const marc = await host.colleague('Marc Adam', 'marc@aparte.example');
  agent = marc;
  await host.createMeeting('Comité restreint');
  await closeLobby(host);
  await host.page.getByLabel('Adresse électronique d’un agent').fill('marc@aparte.example');
  await host.page.getByLabel('Rôle').selectOption('participant');
  await host.page.getByRole('button', { name: 'Désigner' }).click();
  await expect(host.page.getByRole('listitem').filter({ hasText: 'Marc Adam' })).toContainText('Participant');

  await test.step('the agent asks to enter before any host is in, and waits', async () => {
    await marc.page.reload();
    await marc.page.getByRole('link', { name: 'Comité restreint', exact: true }).click();
    await marc.page.getByRole('link', { name: marc.words.open }).click();
    await marc.wantCamera();
    await marc.page.getByRole('button', { name: marc.words.enter }).click();
    await expect(marc.page.getByText('Votre place est gardée')).toBeVisible();
    await marc.expectHeading('Aucun hôte n’est encore arrivé');
    await look(marc.page, 'agent-waiting');
  });

  await test.step('the place is kept over a reload', async () => {
    await marc.page.reload();
    await marc.page.getByRole('button', { name: marc.words.enter }).click();
    await marc.expectHeading('Aucun hôte n’est encore arrivé');
  });

  await test.step('a host sees an agent of the post, and writes', async () => {
    await host.enter();
    const row = await host.expectKnock('Marc Adam');
    await expect(row).toContainText('agent du poste');
    await expect(row).toContainText('Participant');
    await expect(row.getByText('Nom inhabituel, à vérifier')).toHaveCount(0);
    await marc.expectHeading(`${host.name} sait que vous êtes là`);
    await row.getByRole('button', { name: 'Actions pour Marc Adam' }).click();
    await host.page.getByRole('menuitem', { name: /^Écrire/ }).click();
    const field = host.page.getByRole('textbox', { name: /Marc Adam/ });
    await field.fill('Deux minutes, s’il vous plaît.');
    await field.press('Enter');
    await expect(marc.page.getByText('Deux minutes, s’il vous plaît.', { exact: true })).toBeVisible();
    const answer = marc.page.getByRole('textbox', { name: 'Répondre aux hôtes' });
    await answer.fill('Bien sûr.');
    await answer.press('Enter');
    await expect(row.getByText('Bien sûr.')).toBeVisible();
    await look(marc.page, 'agent-waiting-known');
    await look(host.page, 'lobby-agent');
  });

  await test.step('let in by the keyboard, both see each other', async () => {
    const row = host.page.locator('[data-knock]').filter({ hasText: 'Marc Adam' });
    await row.focus();
    await host.page.keyboard.press('a');
    await marc.expectInCall();
    await expectCode(host.page, 'OTHER');
    await expectCode(marc.page, 'HOST');
  });

  const rowOf = (name: string) => host.page.locator('[data-knock]').filter({ hasText: name });
  const decide = async (name: string, decision: RegExp) => {
    await host.openPanel('lobby');
    await rowOf(name).getByRole('button', { name: decision }).click();
  };
  const act = async (entry: string) => {
    await host.openPanel('people');
    await host.page.getByRole('complementary').getByRole('listitem').filter({ hasText: 'Marc Adam' }).getByRole('button').click();
    await host.page.getByRole('menuitem', { name: entry }).click();
  };

  await test.step('sent back, the agent waits again', async () => {
    await act('Faire revenir en salle d’attente');
    await expect(marc.page.getByText('Un hôte vous a fait revenir ici depuis la réunion.')).toBeVisible();
    await look(marc.page, 'agent-back');
    await expect(host.page.locator('video')).toHaveCount(1);
  });

  await test.step('removed, the agent may ask anew', async () => {
    await decide('Marc Adam', host.words.admit);
    await marc.expectInCall();
    await host.remove('Marc Adam');
    await marc.expectHeading('Un hôte vous a retiré de la réunion');
    await look(marc.page, 'agent-removed');
    await marc.page.getByRole('button', { name: marc.words.ask }).click();
    await expect(marc.page.getByText('Votre place est gardée')).toBeVisible();
  });

  await test.step('refused, the agent has a page that says so, until it is lifted', async () => {
    await decide('Marc Adam', host.words.refuse);
    await marc.expectHeading('Votre demande n’a pas été acceptée');
    await look(marc.page, 'agent-denied');
    await host.lift('Marc Adam');
    await marc.page.getByRole('button', { name: marc.words.ask }).click();
    await decide('Marc Adam', host.words.admit);
    await marc.expectInCall();
  });
});
