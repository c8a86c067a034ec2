// Messages that the security profile keeps: everybody is told before they write, private ones are not kept, a crash of the
// server loses none, and afterwards the host reads them, takes them away and deletes them.

import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { Guest, Host } from './support/people.ts';
import { look } from './support/look.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  // Far from the post, whose clocks show UTC.
  host = await Host.arrive({ context: { timezoneId: 'America/Montreal' } });
  guest = await Guest.arrive({ language: 'fr' });
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

test('messages are kept where the profile says so, private ones never, and the host exports and deletes them', async () => {
  await host.signIn(server);
  await host.createMeeting('Coopération <consulaire>');
  const page = host.page.url();
  await expect(host.page.getByRole('heading', { name: 'Messages conservés' })).toHaveCount(0);
  const link = await host.invite('Maria Oliveira');

  await test.step('an administrator has the profile keep them, and reads what that does', async () => {
    await host.page.goto(`${server.url}/profiles`);
    await host.page.getByRole('link', { name: 'Modifier Standard' }).click();
    await host.page.getByLabel('Messages conservés après la réunion').check();
    await host.page.getByRole('button', { name: 'Voir les effets' }).click();
    await expect(host.page.getByRole('status').filter({ hasText: 'Coopération' })).toContainText('Les messages à tous seront conservés à partir de maintenant');
    await look(host.page, 'kept-effects');
    await host.page.getByRole('button', { name: 'Appliquer maintenant' }).click();
    await host.expectHeading('Profils de sécurité');
    await expect(host.page.getByText('messages à tous conservés')).toBeVisible();
    await host.page.goto(page);
    await expect(host.page.getByText('Aucun message n’est conservé.')).toBeVisible();
  });

  await test.step('the guest is told before asking to enter, and everybody in the chat', async () => {
    await guest.open(link);
    await expect(guest.page.getByText('Ce qui est écrit à tous pendant la réunion est conservé 90 jours')).toBeVisible();
    await look(guest.page, 'kept-entry');
    await host.enter();
    await guest.knock('Maria Oliveira');
    await host.admit('Maria Oliveira');
    await guest.expectInCall();
    for (const one of [host, guest]) {
      await one.openPanel('chat');
      await expect(one.page.getByRole('log').getByText('Les messages à tous sont conservés 90 jours')).toBeVisible();
    }
  });

  await test.step('one writes to all, another privately, and the server crashes', async () => {
    await host.say('Bonjour à tous');
    await guest.expectMessage('Bonjour à tous');
    await guest.page.getByLabel('À :').selectOption('hosts');
    await guest.page.getByRole('textbox', { name: 'Écrire un message privé' }).fill('Pour les hôtes seulement');
    await guest.page.keyboard.press('Enter');
    await host.expectMessage('Pour les hôtes seulement');
    await guest.page.getByLabel('À :').selectOption('everyone');
    await guest.say('=HYPERLINK("http://x") <b>\u202efin');
    await expect(host.page.getByRole('log').getByText('=HYPERLINK')).toBeVisible();
    await look(host.page, 'kept-chat');
    await server.crashAndRestart();
    await host.page.reload();
    await host.expectInCall();
    await host.expectMessage('Bonjour à tous');
    await guest.page.reload();
    await guest.expectInCall();
    await guest.expectMessage('Bonjour à tous');
    await guest.say('Après la panne');
    await host.expectMessage('Après la panne');
    await expect(host.page.getByRole('log').getByText('Pour les hôtes seulement')).toHaveCount(0);
    await host.endForAll();
  });

  const section = host.page.getByRole('region', { name: 'Messages conservés' });
  await test.step('afterwards the host reads who wrote what and when, here and at the post', async () => {
    await host.page.goto(page);
    const lines = section.getByRole('listitem');
    await expect(lines).toHaveCount(3);
    await expect(lines.nth(0)).toContainText('Bonjour à tous');
    await expect(lines.nth(0)).toContainText('Hôte');
    await expect(lines.nth(1)).toContainText('Maria Oliveira');
    await expect(lines.nth(1)).toContainText('Invité');
    await expect(lines.nth(1)).toContainText('UTC');
    await expect(section.getByText('Pour les hôtes seulement')).toHaveCount(0);
    await look(host.page, 'meeting-kept', section);
  });

  await test.step('both files hold them, and nothing in them acts', async () => {
    const files: Record<string, string> = {};
    for (const entry of ['En texte', 'En JSON, pour un logiciel']) {
      await section.getByRole('button', { name: 'Exporter' }).click();
      const saved = host.page.waitForEvent('download');
      await host.page.getByRole('menuitem', { name: entry }).click();
      const download = await saved;
      files[entry] = await readFile(await download.path(), 'utf8');
      expect(download.suggestedFilename()).toMatch(/^messages-Cooperation-consulaire-\d{4}-\d\d-\d\d\.(txt|json)$/);
    }
    const text = files['En texte'] ?? '';
    expect(text).toContain('  | =HYPERLINK("http://x") <b>[U+202E]fin');
    expect(text).toMatch(/\(Invité\)/);
    expect(text).not.toContain('Pour les hôtes');
    const json = files['En JSON, pour un logiciel'] ?? '';
    expect(json).not.toMatch(/[<>]/);
    expect((JSON.parse(json) as { messages: { text: string }[] }).messages.map((message) => message.text)).toEqual(['Bonjour à tous', '=HYPERLINK("http://x") <b>\u202efin', 'Après la panne']);
  });

  await test.step('one question, and all are deleted', async () => {
    await section.getByRole('button', { name: 'Tout supprimer' }).click();
    const question = host.page.getByRole('alertdialog', { name: 'Supprimer les 3 messages conservés ?' });
    await look(host.page, 'kept-delete');
    await question.getByRole('button', { name: 'Tout supprimer' }).click();
    await expect(section.getByText('Aucun message n’est conservé.')).toBeVisible();
    await expect(section.getByRole('listitem')).toHaveCount(0);
    expect((await host.ask<{ total: number }>(`/meetings/${host.meeting}/kept-chat`)).total).toBe(0);
  });

  await test.step('the host reads who came, and takes the list away', async () => {
    const came = host.page.getByRole('region', { name: 'Qui est venu' });
    // Both before and after the crash, of which nobody saw them leave.
    const maria = came.getByRole('row').filter({ hasText: 'Maria Oliveira' });
    await expect(maria.nth(1)).toBeVisible();
    await expect(maria.first()).toContainText('UTC');
    await expect(maria.first()).not.toContainText('Inconnu');
    await expect(maria.last()).toContainText('Inconnu');
    await look(host.page, 'meeting-attended', came);
    const saved = host.page.waitForEvent('download');
    await came.getByRole('button', { name: 'Exporter la liste' }).click();
    const rows = (await readFile(await (await saved).path(), 'utf8')).trim().split('\r\n');
    expect(rows).toHaveLength(await came.getByRole('row').count());
    expect(rows[0]).toMatch(/^\ufeff?Nom;Organisation;Rôle;Arrivée \(Europe\/Paris\);Départ \(Europe\/Paris\);Arrivée \(UTC\)/);
    expect(rows.filter((row) => row.startsWith('Maria Oliveira;;Invité;')).length).toBe(await maria.count());
  });

  await test.step('another meeting, by a key: at a time, into a calendar, then permanent', async () => {
    await host.page.goto(`${server.url}/`);
    await expect(host.page.getByRole('region', { name: 'Passées' }).getByRole('link', { name: 'Coopération <consulaire>' })).toBeVisible();
    await host.page.keyboard.press('n');
    await host.expectHeading('Nouvelle réunion');
    await host.page.getByLabel('Titre').fill('Visas, suite');
    await host.page.getByLabel('Plus tard').check();
    await host.page.getByLabel('Début').fill('2030-03-12T15:00');
    await host.page.getByRole('button', { name: 'Créer la réunion' }).click();
    await host.expectHeading('Visas, suite');
    await look(host.page, 'meeting-dated');
    const file = async (button: string) => {
      const saved = host.page.waitForEvent('download');
      await host.page.getByRole('button', { name: button, exact: true }).click();
      return (await readFile(await (await saved).path(), 'utf8')).replaceAll('\r\n ', '');
    };
    // Two days after the clocks changed in Montreal.
    expect(await file('Fichier d’agenda')).toMatch(/DTSTART:20300312T190000Z\r\nDTEND:20300312T200000Z\r\nSUMMARY:Visas\\, suite\r\n/);
    await host.page.getByRole('button', { name: 'Inviter une personne' }).click();
    await host.page.getByRole('dialog').getByLabel('Nom de l’invité').fill('Rui');
    await host.page.getByRole('dialog').getByRole('button', { name: 'Créer le lien' }).click();
    const address = await host.page.getByLabel('Adresse à envoyer').inputValue();
    const invitation = await file('Fichier d’agenda avec le lien');
    expect(invitation).toContain(`\r\nURL:${address}\r\n`);
    expect(invitation).not.toContain('/meetings/');
    await look(host.page, 'link-calendar');
    await host.page.keyboard.press('Escape');

    await host.page.getByRole('button', { name: 'Modifier', exact: true }).click();
    await host.page.getByRole('dialog').getByLabel('Permanente').check();
    await look(host.page, 'meeting-edit');
    await host.page.getByRole('dialog').getByRole('button', { name: 'Enregistrer' }).click();
    await expect(host.page.getByRole('dialog')).toHaveCount(0);
    await expect(host.page.getByRole('button', { name: 'Fichier d’agenda' })).toHaveCount(0);
    await host.page.goto(`${server.url}/`);
    await expect(host.page.getByRole('region', { name: 'Permanentes' }).getByRole('link', { name: 'Visas, suite', exact: true })).toBeVisible();
    await look(host.page, 'meetings-groups');
    await host.page.getByRole('link', { name: 'Visas, suite', exact: true }).click();
    await host.page.getByRole('button', { name: 'Clore définitivement' }).click();
    await host.page.getByRole('alertdialog').getByRole('button', { name: 'Clore définitivement' }).click();
    await expect(host.page.getByRole('button', { name: 'Modifier', exact: true })).toHaveCount(0);
  });
});
