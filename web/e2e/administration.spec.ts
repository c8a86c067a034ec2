// Administrators and auditors at their pages: an account is found, looked at, shut and opened again.

import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { Host } from './support/people.ts';
import { Server } from './support/server.ts';

test('accounts, who may sign in and where they are', async () => {
  test.setTimeout(60_000);
  const server = await Server.start();
  const anne = await Host.arrive({ language: 'fr' });
  const here: Host[] = [anne];
  try {
    const page = anne.page;
    await anne.signIn(server);
    const luc = await anne.colleague('Luc Petit', 'luc@aparte.example');
    here.push(luc);
    await anne.createMeeting('Coopération consulaire');

    await test.step('somebody is found by a part of the name, whatever the accents, and by the address', async () => {
      await page.getByRole('button', { name: /Compte de/ }).click();
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
    });

    const dialog = page.getByRole('dialog');
    await test.step('an administrator sees where the account is signed in, and ends that; the page there is out', async () => {
      await page.getByRole('button', { name: 'Gérer le compte de Luc Petit' }).click();
      const sessions = dialog.getByRole('region', { name: 'Où ce compte est connecté' });
      await expect(sessions.getByRole('listitem')).toHaveCount(1);
      await expect(sessions.getByRole('listitem')).toContainText(/(Chrome|Chromium) sur Linux/);
      await expect(sessions.getByRole('listitem')).toContainText('127.0.0.0/24');
      await look(page, 'account-sheet');
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
      await page.getByRole('button', { name: /^Gérer le compte de Anne/ }).click();
      await expect(dialog.getByText('C’est votre compte.', { exact: false })).toBeVisible();
      await expect(dialog.getByRole('button', { name: 'Désactiver' })).toHaveCount(0);
      await dialog.getByRole('button', { name: 'Fermer' }).click();
    });
  } finally {
    for (const someone of here) await someone.leave();
    await server.stop();
  }
});
