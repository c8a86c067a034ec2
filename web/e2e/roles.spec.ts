// Hosts named before the meeting: a co-host admits a guest, becomes the host, and loses the lobby when the role is taken
// back; a participant has neither lobby nor links.

import { expect, test } from '@playwright/test';
import { Guest, Host } from './support/people.ts';
import { look } from './support/look.ts';
import { Server } from './support/server.ts';

let server: Server;
const here: (Host | Guest)[] = [];

/** Goes to the meeting by one's own list. */
async function find(someone: Host, title: string): Promise<void> {
  await someone.page.getByRole('link', { name: title, exact: true }).click();
  await someone.expectHeading(title);
}

async function name(host: Host, email: string, role: string): Promise<void> {
  await host.page.getByLabel('Adresse électronique d’un agent').fill(email);
  await host.page.getByLabel('Rôle').selectOption(role);
  await host.page.getByRole('button', { name: 'Désigner' }).click();
}

async function come(someone: Host): Promise<void> {
  await someone.page.getByRole('link', { name: 'Rejoindre la réunion' }).click();
  await someone.page.getByRole('button', { name: 'Entrer dans la réunion' }).click();
}

const lobbyButton = (someone: Host) => someone.page.getByRole('navigation').getByRole('button', { name: someone.words.lobby });

test.beforeEach(async () => {
  server = await Server.start();
});

test.afterEach(async () => {
  for (const someone of here.splice(0)) await someone.leave();
  await server?.stop();
});

test('a co-host who was named beforehand admits a guest and takes over; a participant has no lobby', async () => {
  test.setTimeout(400_000);
  const host = await Host.arrive();
  here.push(host);
  await host.signIn(server);
  const cohost = await host.colleague('Luc Petit', 'luc@aparte.example');
  here.push(cohost);
  const participant = await host.colleague('Marc Adam', 'marc@aparte.example');
  here.push(participant);
  await host.createMeeting('Coopération consulaire');

  await test.step('the host names both; an address that nobody has is told at the field', async () => {
    await name(host, 'personne@aparte.example', 'cohost');
    await expect(host.page.getByText('Aucun compte de votre poste n’a cette adresse.')).toBeVisible();
    await name(host, 'luc@aparte.example', 'cohost');
    const named = host.page.getByRole('region', { name: 'Hôtes et participants' });
    await expect(named.getByRole('listitem').filter({ hasText: 'Luc Petit' })).toContainText('Cohôte');
    await name(host, 'marc@aparte.example', 'participant');
    await expect(named.getByRole('listitem').filter({ hasText: 'Marc Adam' })).toContainText('Participant');
    await look(host.page, 'members');
  });
  const link = await host.invite('Maria Oliveira');

  await test.step('a participant sees facts and a button, and comes in once the meeting is open', async () => {
    await participant.page.reload();
    await find(participant, 'Coopération consulaire');
    await expect(participant.page.getByText('Vous êtes participant')).toBeVisible();
    await expect(participant.page.getByRole('heading', { name: 'Invités', exact: true })).toHaveCount(0);
    await look(participant.page, 'meeting-participant');
    await come(participant);
    await expect(participant.page.getByText('La réunion n’est pas encore ouverte')).toBeVisible();
    await look(participant.page, 'door-notopen');
  });

  const guest = await Guest.arrive();
  here.push(guest);
  await test.step('the co-host opens it and admits', async () => {
    await cohost.page.reload();
    await find(cohost, 'Coopération consulaire');
    await cohost.page.getByRole('link', { name: 'Ouvrir la réunion' }).click();
    await cohost.page.getByRole('button', { name: 'Entrer dans la réunion' }).click();
    await cohost.expectInCall();
    await guest.open(link);
    await guest.knock('Maria Oliveira');
    await cohost.admit('Maria Oliveira');
    await guest.expectInCall();
  });

  await test.step('the participant comes in, without a lobby', async () => {
    await participant.page.getByRole('button', { name: 'Entrer dans la réunion' }).click();
    await participant.expectInCall();
    await expect(lobbyButton(participant)).toHaveCount(0);
    await participant.openPanel('people');
    // What concerns the viewer alone, and nothing that moderates.
    await participant.page.getByRole('complementary').getByRole('button', { name: 'Actions pour Maria Oliveira' }).click();
    await expect(participant.page.getByRole('menuitem', { name: 'Épingler pour moi' })).toBeVisible();
    for (const act of [host.words.removeOne, /micro/, /hôte/]) await expect(participant.page.getByRole('menuitem', { name: act })).toHaveCount(0);
    await participant.page.keyboard.press('Escape');
  });

  await test.step('the host makes the participant co-host: the lobby is there at once', async () => {
    await host.page.getByRole('link', { name: 'Rejoindre la réunion' }).click();
    await host.page.getByRole('button', { name: 'Entrer dans la réunion' }).click();
    await host.expectInCall();
    await host.openPanel('people');
    await expect(host.page.getByRole('region', { name: 'Hôtes', exact: true })).toContainText('Cohôte');
    await look(host.page, 'people-roles');
    await host.page.getByRole('button', { name: 'Actions pour Marc Adam' }).click();
    await host.page.getByRole('menuitem', { name: 'Nommer cohôte' }).click();
    await expect(lobbyButton(participant)).toBeVisible();
    await host.page.getByRole('button', { name: 'Actions pour Marc Adam' }).click();
    await host.page.getByRole('menuitem', { name: 'Reprendre le rôle de cohôte' }).click();
    await expect(lobbyButton(participant)).toHaveCount(0);
  });

  await test.step('no guest can be made one', async () => {
    await host.page.getByRole('button', { name: 'Actions pour Maria Oliveira' }).click();
    await expect(host.page.getByRole('menuitem', { name: 'Retirer de la réunion' })).toBeVisible();
    await expect(host.page.getByRole('menuitem', { name: /ôte/ })).toHaveCount(0);
    await host.page.keyboard.press('Escape');
  });

  await test.step('the host hands over, after one question', async () => {
    await host.page.getByRole('button', { name: 'Actions pour Luc Petit' }).click();
    await host.page.getByRole('menuitem', { name: 'Transmettre le rôle d’hôte' }).click();
    await look(host.page, 'hand-over');
    await host.page.getByRole('alertdialog').getByRole('button', { name: 'Transmettre' }).click();
    await cohost.openPanel('people');
    await expect(cohost.page.getByRole('listitem').filter({ hasText: 'Luc Petit' })).toContainText('Hôte');
    await cohost.page.getByRole('button', { name: /^Actions pour Marc/ }).click();
    await expect(cohost.page.getByRole('menuitem', { name: 'Nommer cohôte' })).toBeVisible();
    await cohost.page.keyboard.press('Escape');
    await host.page.getByRole('button', { name: /^Actions pour Marc/ }).click();
    await expect(host.page.getByRole('menuitem', { name: 'Nommer cohôte' })).toHaveCount(0);
  });
});
