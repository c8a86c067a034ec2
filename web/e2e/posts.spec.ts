// An administrator makes a post, gives people roles at it and takes them away; an agent of two posts
// says which one a meeting belongs to and looks at the meetings of one.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test, type Page } from '@playwright/test';
import { findings } from './support/axe.ts';
import { look } from './support/look.ts';
import { Host } from './support/people.ts';
import { binary, Server } from './support/server.ts';

/** A person who signs in by the one-time link of an invitation. */
async function invited(server: Server, by: Page, draft: object): Promise<Host> {
  const url = await by.evaluate(async (body) => {
    const answer = await fetch('/api/v1/accounts', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    return ((await answer.json()) as { invite_url: string }).invite_url;
  }, draft);
  const host = await Host.arrive({ language: 'fr' });
  await host.page.goto(url);
  await host.page.waitForURL(`${server.url}/`);
  return host;
}

async function accessible(page: Page): Promise<void> {
  expect(await findings(page)).toEqual([]);
}

/** A pair of an archive's key, as the command makes it. */
async function archiveKey(): Promise<{ secret: string; public: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'aparte-archive-'));
  try {
    const file = path.join(folder, 'archive.key');
    const { stdout } = await promisify(execFile)(binary, ['keygen', file]);
    return { secret: (await readFile(file, 'utf8')).split('\n').find((line) => line.startsWith('AGE-SECRET-KEY')) ?? '', public: stdout.trim() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The keys that a post's recordings are sealed to: what is none is told why, and one alone is warned of. */
async function archives(page: Page): Promise<void> {
  const section = page.getByRole('region', { name: 'Clés d’archives' });
  await expect(section.getByText('Le poste n’a pas de clé à lui')).toBeVisible();
  const [paris, lisbon] = await Promise.all([archiveKey(), archiveKey()]);
  const add = async (name: string, key: string, refused = '') => {
    if (!(await page.getByRole('dialog').isVisible())) await section.getByRole('button', { name: 'Ajouter une clé' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Nom').fill(name);
    await dialog.getByLabel('Clé publique').fill(key);
    await dialog.getByRole('button', { name: 'Ajouter la clé' }).click();
    if (refused) await expect(dialog.getByText(refused)).toBeVisible();
    else await expect(dialog).toHaveCount(0);
  };
  await add('Archives Paris', paris.secret, 'C’est une clé privée');
  await add('Archives Paris', `age1${'q'.repeat(58)}`, 'Ce n’est pas une clé hybride');
  await add('Archives Paris', paris.public.slice(0, 900), 'La clé est abîmée');
  await look(page, 'posts-archives-refused');
  await add('Archives Paris', paris.public);
  await expect(section.getByText('Il n’y a qu’une clé')).toBeVisible();
  await add('Encore Paris', `${paris.public}\n`, 'Le poste a déjà cette clé.');
  await add('أرشيف لشبونة', lisbon.public);
  await expect(section.getByText('Il n’y a qu’une clé')).toHaveCount(0);
  await expect(section.getByRole('listitem')).toHaveCount(2);
  await expect(section.getByText('Dernière modification')).toBeVisible();
  await look(page, 'posts-archives', section);
  await section.getByRole('button', { name: 'Retirer la clé : Archives Paris' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Retirer la clé' }).click();
  await expect(section.getByRole('listitem')).toHaveCount(1);
  await section.getByRole('button', { name: /^Retirer la clé/ }).click();
  await expect(page.getByRole('alertdialog').getByText('la clé du serveur servira à sa place', { exact: false })).toBeVisible();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Annuler' }).click();
}

test('posts, their people, and whose a meeting is', async () => {
  const server = await Server.start();
  const anne = await Host.arrive({ language: 'fr' });
  try {
    const page = anne.page;
    await page.goto(server.agentURL);
    await page.waitForURL(`${server.url}/`);
    await page.getByRole('button', { name: /^Compte/ }).click();
    await page.getByRole('menuitem', { name: 'Postes' }).click();
    await expect(page.getByRole('link', { name: 'Poste de démonstration' })).toBeVisible();
    await page.getByRole('link', { name: 'Nouveau poste' }).click();
    await page.getByLabel('Nom du poste').fill('Consulat général à Lisbonne');
    await page.getByLabel('Fuseau horaire').selectOption('Europe/Lisbon');
    await page.getByLabel('Langues').fill('fr, pt-PT');
    await expect(page.getByText('français, portugais européen')).toBeVisible();
    await page.getByLabel('Adresse', { exact: false }).first().fill('Rua de Santos-o-Velho 5\nLisboa');
    await page.getByLabel('Téléphone').fill('appelez-nous');
    await expect(page.getByLabel('Premier administrateur')).not.toHaveValue('');
    await accessible(page);
    await page.getByRole('button', { name: 'Créer le poste' }).click();
    await expect(page.getByText('Ce n’est pas un numéro de téléphone.')).toBeVisible();
    await page.getByLabel('Téléphone').fill('+351 213 939 292');
    await page.getByRole('button', { name: 'Créer le poste' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Consulat général à Lisbonne' })).toBeVisible();
    await expect(page.getByText('réunions tenues')).toBeVisible();
    await accessible(page);
    const lisbon = page.url().split('/').at(-1) ?? '';
    await archives(page);

    // Somebody of the first post acts for the second, too.
    const demo = await page.evaluate(async () => ((await (await fetch('/api/v1/posts')).json()) as { posts: { id: string; name: string }[] }).posts.find(({ name }) => name.startsWith('Poste'))?.id ?? '');
    const luc = await invited(server, page, { name: 'Luc Morel', email: 'luc@aparte.example', post: demo, role: 'agent' });
    try {
      await page.getByRole('button', { name: 'Ajouter une personne' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Adresse').fill('personne@aparte.example');
      await dialog.getByRole('button', { name: 'Ajouter au poste' }).click();
      await expect(dialog.getByText('Aucun compte n’existe avec cette adresse.', { exact: false })).toBeVisible();
      await dialog.getByLabel('Adresse').fill('luc@aparte.example');
      await dialog.getByRole('button', { name: 'Ajouter au poste' }).click();
      await expect(page.getByLabel('Rôle : Luc Morel')).toHaveValue('agent');

      // Luc says whose the meeting is, and finds it by its post.
      await luc.page.goto(`${server.url}/meetings/new`);
      await luc.page.getByLabel('Titre').fill('Visas de long séjour');
      await luc.page.getByLabel('Poste', { exact: true }).selectOption('Consulat général à Lisbonne');
      await accessible(luc.page);
      await luc.page.getByRole('button', { name: 'Créer la réunion' }).click();
      await expect(luc.page.getByRole('heading', { level: 1, name: 'Visas de long séjour' })).toBeVisible();
      await expect(luc.page.getByText('Consulat général à Lisbonne')).toBeVisible();
      await luc.page.goto(`${server.url}/`);
      const row = luc.page.getByRole('listitem').filter({ hasText: 'Visas de long séjour' });
      await expect(row).toContainText('Consulat général à Lisbonne');
      await luc.page.getByLabel('Réunions du poste').selectOption('Poste de démonstration');
      await expect(row).toHaveCount(0);
      await luc.page.getByLabel('Réunions du poste').selectOption('Consulat général à Lisbonne');
      await expect(row).toHaveCount(1);
      await accessible(luc.page);

      // Where one's account is signed in, and out again from another browser.
      const elsewhere = await Host.arrive({ language: 'fr' });
      try {
        await luc.page.evaluate(() => fetch('/api/v1/account/password', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ password: 'une phrase que personne ne devine' }) }));
        await elsewhere.page.goto(`${server.url}/signin`);
        await elsewhere.page.getByLabel('Adresse').fill('luc@aparte.example');
        await elsewhere.page.getByLabel('Mot de passe').fill('une phrase que personne ne devine');
        await elsewhere.page.getByRole('button', { name: 'Se connecter' }).click();
        await elsewhere.page.waitForURL(`${server.url}/`);
        await luc.page.getByRole('button', { name: /^Compte/ }).click();
        await luc.page.getByRole('menuitem', { name: 'Mon compte' }).click();
        const signedIn = luc.page.getByRole('region', { name: 'Où votre compte est connecté' });
        await expect(signedIn.getByRole('listitem')).toHaveCount(2);
        await expect(signedIn.getByRole('listitem').filter({ hasText: 'Ce navigateur' })).toContainText(/(Chrome|Chromium) sur Linux/);
        await look(luc.page, 'own-account');
        await signedIn.getByRole('button', { name: 'Déconnecter' }).click();
        await expect(signedIn.getByRole('listitem')).toHaveCount(1);
        await elsewhere.page.goto(`${server.url}/meetings/new`);
        await elsewhere.page.waitForURL(/\/signin/);
      } finally {
        await elsewhere.leave();
      }
      await luc.page.goto(`${server.url}/`);

      // What is open when somebody's part at the post ends says so.
      await row.getByRole('link', { name: 'Visas de long séjour', exact: true }).click();
      await expect(luc.page.getByRole('heading', { level: 1, name: 'Visas de long séjour' })).toBeVisible();

      // An auditor holds no meetings; whoever is taken away sees them no more.
      await page.getByLabel('Rôle : Luc Morel').selectOption('Audit');
      await expect(page.getByLabel('Rôle : Luc Morel')).toHaveValue('auditor');
      await expect(luc.page.getByRole('heading', { name: 'Vous n’agissez plus pour ce poste' })).toBeVisible();
      await look(luc.page, 'membership-ended');
      await luc.page.goto(`${server.url}/`);
      await expect(luc.page.getByText('Visas de long séjour')).toHaveCount(0);
      await page.getByRole('button', { name: 'Retirer Luc Morel du poste' }).click();
      await page.getByRole('alertdialog').getByRole('button', { name: 'Retirer du poste' }).click();
      await expect(page.getByLabel('Rôle : Luc Morel')).toHaveCount(0);

      // The meeting that he leaves behind has no host: the administrator gives it another one.
      await expect(page.getByRole('heading', { name: 'Réunions sans hôte' })).toBeVisible();
      await look(page, 'posts-orphans');
      await page.getByRole('button', { name: 'Nommer un hôte pour Visas de long séjour' }).click();
      await dialog.getByLabel('Adresse').fill('luc@aparte.example');
      await dialog.getByRole('button', { name: 'Nommer', exact: true }).click();
      await expect(dialog.getByText('Personne n’agit pour ce poste avec cette adresse.')).toBeVisible();
      await dialog.getByLabel('Adresse').fill(await page.evaluate(async () => ((await (await fetch('/api/v1/session')).json()) as { account: { email: string } }).account.email));
      await dialog.getByRole('button', { name: 'Nommer', exact: true }).click();
      await expect(page.getByRole('heading', { name: 'Réunions sans hôte' })).toHaveCount(0);
      await page.goto(`${server.url}/`);
      await page.getByRole('link', { name: 'Visas de long séjour' }).first().click();
      await expect(page.getByRole('heading', { level: 1, name: 'Visas de long séjour' })).toBeVisible();

      await luc.page.goto(`${server.url}/posts/${lisbon}`);
      await expect(luc.page.getByText('Ce poste n’existe pas', { exact: false })).toBeVisible();
    } finally {
      await luc.leave();
    }
  } finally {
    await anne.leave();
    await server.stop();
  }
});
