// An administrator changes a security profile while a meeting is held: the effects are seen before, and hold at once after.

import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { expectCode } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive();
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

test('a profile is changed during a meeting: what it will do is shown, and a guest’s share ends at once', async () => {
  await host.signIn(server);
  await host.page.getByRole('link', { name: host.words.newMeeting }).click();
  const cards = host.page.getByRole('radio', { name: /^(Standard|Protégé|Sensible)/ });
  await expect(cards).toHaveCount(3);
  await expect(host.page.getByRole('radio', { name: /^Sensible/ }), 'it needs what there is not yet').toBeDisabled();
  await look(host.page, 'create-profiles');
  await host.page.goBack();
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Maria Oliveira');
  const withoutPIN = await host.invite('Rui Costa');
  await look(host.page, 'meeting-profile');
  await host.enter();
  await guest.open(link);
  await guest.knock('Maria Oliveira');
  await host.admit('Maria Oliveira');
  await guest.shareScreen();
  await expectCode(host.page, 'OTHER');

  const admin = await host.page.context().newPage();
  await test.step('the administrator sees the profiles, and which cannot be had', async () => {
    await admin.goto(`${server.url}/profiles`);
    await expect(admin.getByRole('heading', { name: 'Profils de sécurité', level: 1 })).toBeVisible();
    await expect(admin.getByText(/Pas encore disponible/)).toHaveCount(2);
    await look(admin, 'profiles');
  });

  await test.step('lines that contradict each other are told at their field, in the reader’s language', async () => {
    await admin.getByRole('link', { name: 'Modifier Standard' }).click();
    await admin.getByLabel('Code de vérification lu à voix haute').check();
    await admin.getByRole('button', { name: 'Voir les effets' }).click();
    const atFault = admin.getByRole('checkbox', { name: /^Liens partagés/ });
    await expect(atFault).toHaveAccessibleName(/Le code lu à voix haute est pour une personne nommée/);
    await expect(atFault).toBeFocused();
    await look(admin, 'profile-fault');
    await admin.getByLabel('Code de vérification lu à voix haute').uncheck();
    await expect(admin.getByText('pour une personne nommée')).toHaveCount(0);
  });

  await test.step('a change is previewed by who is concerned', async () => {
    await admin.getByLabel('Partage d’écran des invités').selectOption({ label: 'jamais' });
    await admin.getByLabel('Noms inscrits sur les images').check();
    await admin.getByRole('button', { name: 'Voir les effets' }).click();
    const effects = admin.getByRole('status').filter({ hasText: 'Maria Oliveira' });
    await expect(effects).toContainText('Coopération consulaire');
    await look(admin, 'profile-effects');
    await expect(guest.page.getByRole('button', { name: guest.words.sharing }), 'a preview changes nothing').toBeVisible();
  });

  await test.step('applied, it holds in the meeting that runs', async () => {
    await admin.getByRole('button', { name: 'Appliquer maintenant' }).click();
    await expect(admin.getByRole('heading', { name: 'Profils de sécurité', level: 1 })).toBeVisible();
    await expect(guest.page.getByRole('button', { name: guest.words.sharing })).toBeHidden();
    await expect(host.page.locator('[data-share]')).toHaveCount(0);
    await expect(guest.page.locator('[data-mark^="Maria Oliveira · "]').first()).toBeVisible();
    await expect(host.page.locator(`[data-mark^="${host.name} · "]`).first()).toBeVisible();
    await look(host.page, 'call-watermark');
  });

  await test.step('the versions tell who changed what, and when', async () => {
    await admin.getByRole('link', { name: 'Modifier Standard' }).click();
    await expect(admin.getByText('Version 2')).toBeVisible();
    await look(admin, 'profile-versions');
  });

  await test.step('a new profile may not have the id of another', async () => {
    await admin.goto(`${server.url}/profiles`);
    await admin.getByRole('link', { name: 'Nouveau profil' }).click();
    await expect(admin.getByRole('heading', { name: 'Nouveau profil', level: 1 })).toBeVisible();
    await expect(admin.getByLabel('Identifiant')).toBeVisible();
    await look(admin, 'profile-new');
    for (const [label, text] of [['Identifiant', 'standard'], ['Nom en français', 'Maison'], ['Nom en anglais', 'House'], ['Phrase en français', 'Entre nous.'], ['Phrase en anglais', 'Among us.']] as const) await admin.getByLabel(label).fill(text);
    await admin.getByRole('button', { name: 'Créer le profil' }).click();
    await expect(admin.getByLabel('Identifiant')).toBeFocused();
    await expect(admin.getByText('Déjà pris')).toBeVisible();
    await look(admin, 'profile-taken');
  });

  await test.step('whose link the rules do not let in any more is told the rule, and what to ask for', async () => {
    await admin.goto(`${server.url}/profiles`);
    await admin.getByRole('link', { name: 'Modifier Standard' }).click();
    await admin.getByLabel('Code PIN obligatoire').check();
    await admin.getByRole('button', { name: 'Voir les effets' }).click();
    await admin.getByRole('button', { name: 'Appliquer maintenant' }).click();
    await expect(admin.getByRole('heading', { name: 'Profils de sécurité', level: 1 })).toBeVisible();
    const rui = await guest.beside('fr');
    await rui.open(withoutPIN);
    await rui.expectHeading('Les règles de la réunion ne laissent pas entrer par ce lien');
    await expect(rui.page.getByText(`Demandez à ${host.name} un code PIN pour ce lien, puis réessayez.`)).toBeVisible();
    await look(rui.page, 'guest-refused-by-profile');
    await rui.open(`${withoutPIN.split('#')[0]}#${Buffer.alloc(32, 3).toString('base64url')}`);
    await rui.expectHeading('Ce lien n’est plus valable');
  });
  await admin.close();
});
