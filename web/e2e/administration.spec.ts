// Administrators and auditors at their pages: how the server is, an account is found, looked at, shut and opened again, and
// what was done is read, filtered and taken away.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { Host } from './support/people.ts';
import { binary, Server } from './support/server.ts';
import { expectWhole } from './support/zoom.ts';

test('the server, accounts, who may sign in and where they are, and the trail of that', async () => {
  const server = await Server.start();
  const anne = await Host.arrive({ language: 'fr' });
  const here: Host[] = [anne];
  try {
    const page = anne.page;
    await anne.signIn(server);
    const luc = await anne.colleague('Luc Petit', 'luc@aparte.example');
    here.push(luc);
    await anne.createMeeting('Visite ministérielle');

    await test.step('how the server is comes first in the menu, by keyboard, and is measured for real', async () => {
      await page.getByRole('button', { name: /^Compte/ }).focus();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('menuitem').first()).toHaveText('État du serveur');
      await expect(page.getByRole('menuitem').first()).toBeFocused();
      await page.keyboard.press('Enter');
      await expect(page.getByRole('heading', { level: 1, name: 'État du serveur' })).toBeFocused();
      await expect(page).toHaveURL(`${server.url}/health`);
      // A server that is tried out: at least that needs somebody.
      await expect(page.getByRole('status').filter({ hasText: /points? demande/ })).toBeVisible();
      await expect(page).toHaveTitle(/^\(\d+\) État du serveur/);
      for (const said of [/^.*démarré pour un essai/, /a enregistré une écriture en [\d,]+\s(ms|s)\./, /^.*Libre pour les données\s: [\d,\s]+\S+ sur/, /UDP\s: ouvert/, /Sans TLS/]) await expect(page.getByRole('listitem').filter({ hasText: said }).last()).toBeVisible();
      await look(page, 'health');
      await expectWhole(page, 'health');
      // What is copied says what it is without saying where.
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: server.url });
      await page.getByRole('button', { name: 'Copier pour l’assistance' }).click();
      await expect(page.getByRole('button', { name: 'Copié' })).toBeVisible();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied).toMatch(/^Aparté health \d{4}-.*\n/);
      expect(copied).toContain('ATTENTION  server  server-trial');
      expect(copied).not.toContain(server.data);
      // Measured again, the focus stays where it is.
      const again = page.getByRole('button', { name: 'Mesurer maintenant' });
      await again.focus();
      const [answer] = await Promise.all([page.waitForResponse('**/api/v1/health'), page.keyboard.press('Enter')]);
      expect(answer.status()).toBe(200);
      await expect(again).toBeFocused();
    });

    await test.step('whoever administers no installation is told that the page is not theirs', async () => {
      await luc.page.goto(`${server.url}/health`);
      await expect(luc.page.getByText('Cette page est réservée à l’administration de l’installation.', { exact: false })).toBeVisible();
      await luc.page.getByRole('button', { name: /^Compte/ }).click();
      await expect(luc.page.getByRole('menuitem', { name: 'Mon compte' })).toBeVisible();
      await expect(luc.page.getByRole('menuitem', { name: 'État du serveur' })).toHaveCount(0);
      await luc.page.keyboard.press('Escape');
    });

    await test.step('somebody is found by a part of the name, whatever the accents, and by the address', async () => {
      await page.getByRole('button', { name: /^Compte/ }).click();
      await page.getByRole('menuitem', { name: 'Comptes' }).click();
      const list = page.getByRole('list', { name: 'Comptes' });
      await expect(list.getByRole('listitem')).toHaveCount(2);
      await page.getByLabel('Nom ou adresse').fill('PÉTIT luc@');
      await expect(list.getByRole('listitem')).toHaveCount(1);
      await expect(list.getByRole('listitem')).toContainText('Luc Petit');
      await page.getByLabel('État').selectOption('Désactivé');
      await expect(page.getByText('Aucun compte ne correspond à cette recherche.')).toBeVisible();
      await page.getByLabel('État').selectOption('Tous');
      await page.getByLabel('Nom ou adresse').fill('');
      await look(page, 'accounts');
      await expectWhole(page, 'accounts');
    });

    const dialog = page.getByRole('dialog');
    await test.step('an administrator sees where the account is signed in, and ends that; the page there is out', async () => {
      await page.getByRole('button', { name: 'Gérer le compte : Luc Petit' }).click();
      const sessions = dialog.getByRole('region', { name: 'Où ce compte est connecté' });
      await expect(sessions.getByRole('listitem')).toHaveCount(1);
      await expect(sessions.getByRole('listitem')).toContainText(/(Chrome|Chromium) sur Linux/);
      await expect(sessions.getByRole('listitem')).toContainText('127.0.0.0/24');
      await look(page, 'account-sheet');
      await expectWhole(page, 'account-sheet');
      await sessions.getByRole('button', { name: 'Déconnecter' }).click();
      await expect(sessions.getByText('Nulle part en ce moment.')).toBeVisible();
      await luc.page.goto(`${server.url}/meetings/new`);
      await luc.page.waitForURL(/\/signin/);
    });

    await test.step('by a new link the person comes in again', async () => {
      await dialog.getByRole('button', { name: 'Nouveau lien d’accès' }).click();
      const url = await dialog.getByLabel('Adresse à envoyer').inputValue();
      await luc.page.goto(url);
      await expect(luc.page.getByRole('heading', { level: 1, name: /mot de passe/i })).toBeVisible();
      await dialog.getByRole('button', { name: 'Terminé' }).click();
    });

    await test.step('disabled, they are out at once and the list says so; enabled, they may come again', async () => {
      await dialog.getByRole('button', { name: 'Désactiver' }).click();
      await look(page, 'account-disable');
      await page.getByRole('alertdialog').getByRole('button', { name: 'Désactiver' }).click();
      await expect(dialog.getByText(/Désactivé le/)).toBeVisible();
      await luc.page.goto(`${server.url}/meetings/new`);
      await luc.page.waitForURL(/\/signin/);
      await dialog.getByRole('button', { name: 'Fermer' }).click();
      const row = page.getByRole('listitem').filter({ hasText: 'Luc Petit' });
      await expect(row).toContainText('Désactivé');
      await look(page, 'accounts-disabled');
      await row.getByRole('button').click();
      await dialog.getByRole('button', { name: 'Réactiver' }).click();
      await expect(dialog.getByRole('button', { name: 'Désactiver' })).toBeVisible();
      await dialog.getByRole('button', { name: 'Fermer' }).click();
      await expect(row).not.toContainText('Désactivé');
    });

    await test.step('nobody shuts themselves out', async () => {
      await page.getByRole('button', { name: /^Gérer le compte\s: Anne/ }).click();
      await expect(dialog.getByText('C’est votre compte.', { exact: false })).toBeVisible();
      await expect(dialog.getByRole('button', { name: 'Désactiver' })).toHaveCount(0);
      await dialog.getByRole('button', { name: 'Fermer' }).click();
    });

    await test.step('an auditor reads in plain words what was done, and by whom', async () => {
      const aude = await anne.colleague('Aude Vidal', 'aude@aparte.example');
      here.push(aude);
      await page.evaluate(async () => {
        const { posts } = (await (await fetch('/api/v1/posts')).json()) as { posts: { id: string }[] };
        const { members } = (await (await fetch(`/api/v1/posts/${posts[0]?.id}/members`)).json()) as { members: { account: string; email: string }[] };
        const account = members.find(({ email }) => email.startsWith('aude'))?.account ?? '';
        await fetch(`/api/v1/posts/${posts[0]?.id}/members/${account}`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"role":"auditor"}' });
      });
      const reader = aude.page;
      await reader.goto(server.url);
      await reader.getByRole('button', { name: /^Compte/ }).click();
      await reader.getByRole('menuitem', { name: 'Journal d’audit' }).click();
      await expect(reader.getByText('Anne Bernard a désactivé un compte : Luc Petit.')).toBeVisible();
      await expect(reader.getByText('Anne Bernard a réactivé un compte : Luc Petit.')).toBeVisible();
      await expect(reader.getByText(/^Vérifié jusqu’à l’acte \d+/)).toBeVisible();
      await look(reader, 'audit');
      await expectWhole(reader, 'audit');

      // What is filtered stands in the address, and "back" undoes it.
      const kind = reader.getByLabel('Actes', { exact: true });
      await kind.focus();
      await kind.selectOption('Réunions et profils');
      // What is chosen with stays while others are fetched, and the focus on it.
      await expect(kind).toBeFocused();
      const rows = reader.locator('.trail > li');
      await expect(rows.filter({ hasText: 'désactivé' })).toHaveCount(0);
      await expect(rows.filter({ hasText: 'Anne Bernard a créé la réunion.' }).filter({ hasText: 'Visite ministérielle' })).toHaveCount(1);
      await expect(reader).toHaveURL(/\?act=meeting\.created,/);
      await reader.goBack();
      await expect(rows.filter({ hasText: 'désactivé' })).toHaveCount(1);
      await reader.reload();
      await rows.filter({ hasText: 'désactivé' }).getByRole('button').click();
      await reader.getByRole('dialog').getByText('L’événement tel qu’il est').click();
      await expect(reader.getByRole('dialog').getByText('"act": "account.disabled"', { exact: false })).toBeVisible();
      await look(reader, 'audit-event');
      await expectWhole(reader, 'audit-event');
      // The row is still found and keeps the focus; where it is not, what is found has it.
      await reader.getByRole('dialog').getByRole('button', { name: 'Les actes de cette sorte' }).press('Enter');
      await expect(rows).toHaveCount(1);
      await expect(rows.getByRole('button')).toBeFocused();
      await expect(reader).toHaveURL(/\?act=account\.disabled$/);
      await look(reader, 'audit-filtered');

      // Taken away: what is filtered as a table, and the whole, which the command verifies.
      const save = async (entry: RegExp) => {
        const [file] = await Promise.all([reader.waitForEvent('download'), (async () => {
          await reader.getByRole('button', { name: 'Exporter' }).click();
          await reader.getByRole('menuitem', { name: entry }).click();
        })()]);
        return readFile(await file.path(), 'utf8');
      };
      const table = (await save(/CSV/)).trim().split('\r\n');
      expect(table).toHaveLength(2);
      expect(table[1]).toContain(';account.disabled;Anne Bernard a désactivé un compte : Luc Petit.;');
      const signed = await save(/signé/);
      const { status, stdout } = spawnSync(binary, ['audit', 'verify', '--file', '-'], { input: signed, encoding: 'utf8' });
      expect(stdout).toMatch(/: verified: events 1 to \d+/);
      expect(status).toBe(0);
      await reader.getByRole('button', { name: 'Tout afficher' }).press('Enter');
      // The first that was found has the focus, and keeps it when the act of exporting comes above it.
      await expect(rows.locator('button:focus')).toHaveCount(1);
      await expect(rows.filter({ hasText: 'Aude Vidal a exporté le journal d’audit.' })).toHaveCount(1);
    });
  } finally {
    for (const someone of here) await someone.leave();
    await server.stop();
  }
});
