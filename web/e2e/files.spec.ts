// Files in a call: a guest sends one to all and its bytes arrive, private ones reach one, and the profile rules what guests may.

import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, test, type Page } from '@playwright/test';
import { look } from './support/look.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let maria: Guest;
let luc: Guest;

test.beforeEach(async () => {
  server = await Server.start(undefined, '--files-size-mb', '2', '--files-meeting-mb', '20', '--files-total-mb', '50');
  host = await Host.arrive();
  maria = await Guest.arrive({ language: 'fr' });
  luc = await Guest.arrive({ side: 'OTHER' });
});

test.afterEach(async () => {
  await host?.leave();
  await maria?.leave();
  await luc?.leave();
  await server?.stop();
});

const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** Chooses a file for the call, as the browser's own chooser does. */
async function attach(page: Page, name: string, buffer: Buffer, mimeType = 'application/pdf'): Promise<void> {
  await page.getByTestId('attach').setInputFiles({ name, mimeType, buffer });
}

/** What somebody gets who keeps a file. */
async function keep(page: Page, button: string): Promise<{ name: string; sum: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('log').getByRole('button', { name: button }).click()]);
  return { name: download.suggestedFilename(), sum: sum(await readFile(await download.path())) };
}

const lines = (page: Page) => page.getByRole('log').locator('.file');

/** The status that the server answers a guest who asks for something in the call by hand. */
async function asks(guest: Guest, method: string, path: string, body?: unknown): Promise<number> {
  const session = await guest.session();
  const answer = await fetch(`${server.url}/api/v1/guest/call${path}`, {
    method, headers: { authorization: `Bearer ${session}`, origin: server.url, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function change(rule: 'permis' | 'accordés par un hôte' | 'jamais'): Promise<void> {
  const admin = await host.page.context().newPage();
  await admin.goto(`${server.url}/profiles`);
  await admin.getByRole('link', { name: 'Modifier Standard' }).click();
  await admin.getByLabel('Fichiers des invités').selectOption({ label: rule });
  await admin.getByRole('button', { name: 'Voir les effets' }).click();
  if (rule === 'accordés par un hôte') {
    const effects = admin.getByRole('status').filter({ hasText: 'Maria Oliveira' });
    await expect(effects).toContainText('Maria Oliveira ne peut plus envoyer de fichiers.');
    await expect(effects).toContainText('jusqu’à ce qu’ils soient supprimés');
    await look(admin, 'profile-effects-files');
  }
  await admin.getByRole('button', { name: 'Appliquer maintenant' }).click();
  await expect(admin.getByRole('heading', { name: 'Profils de sécurité', level: 1 })).toBeVisible();
  await admin.close();
}

test('files: sent to all, to one, refused, deleted, and ruled by the profile', async () => {
  test.setTimeout(600_000);
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const links = [await host.invite('Maria Oliveira'), await host.invite('Luc Martin')];
  await host.enter();
  for (const [guest, link, name] of [[maria, links[0], 'Maria Oliveira'], [luc, links[1], 'Luc Martin']] as const) {
    await guest.open(link ?? '');
    await guest.expectHeading('Coopération consulaire');
    await guest.knock(name);
    await host.admit(name);
    await guest.expectInCall();
  }
  const note = randomBytes(300_000);
  for (const one of [host, maria, luc]) await one.openPanel('chat');

  await test.step('a guest sends one to all, and the host keeps the same bytes', async () => {
    await attach(maria.page, 'Procès-verbal signé.pdf', note);
    await expect(lines(maria.page)).toHaveCount(1);
    await expect(lines(host.page)).toContainText('Envoyé par un invité extérieur');
    await expect(lines(host.page)).toContainText('PDF');
    expect(await keep(host.page, 'Enregistrer Procès-verbal signé.pdf')).toEqual({ name: 'Procès-verbal signé.pdf', sum: sum(note) });
    expect(await keep(luc.page, 'Save Procès-verbal signé.pdf')).toEqual({ name: 'Procès-verbal signé.pdf', sum: sum(note) });
  });

  await test.step('what systems run is marked, and a name that deceives is mended', async () => {
    await attach(maria.page, 'facture\u202efdp.exe', Buffer.from('MZ'), 'application/x-msdownload');
    await expect(lines(host.page).nth(1)).toContainText('facture_fdp.exe');
    await expect(lines(host.page).nth(1)).toContainText('Un fichier .exe peut exécuter un programme');
    await expect(lines(host.page).nth(1)).toContainText('Son nom pouvait tromper');
  });

  await test.step('one for one reaches no third', async () => {
    const answered = host.page.waitForResponse((response) => response.request().method() === 'PUT' && response.url().includes('/call/files/'));
    await host.page.getByLabel('À :').selectOption({ label: 'Maria Oliveira' });
    await attach(host.page, 'pour-maria.txt', Buffer.from('pour Maria'), 'text/plain');
    const id = (await answered).url().split('/').pop() ?? '';
    expect(await keep(maria.page, 'Enregistrer pour-maria.txt')).toEqual({ name: 'pour-maria.txt', sum: sum(Buffer.from('pour Maria')) });
    await expect(lines(luc.page)).toHaveCount(2);
    expect(await asks(luc, 'GET', `/files/${id}`), 'a third asks for it by hand').toBe(404);
    expect(await asks(maria, 'GET', `/files/${id}`)).toBe(200);
    await host.page.getByLabel('À :').selectOption('everyone');
  });

  await test.step('one that is too large is refused in words, and can be dismissed', async () => {
    await attach(maria.page, 'film.mp4', randomBytes(2_000_001), 'video/mp4');
    await expect(maria.page.getByRole('alert').filter({ hasText: 'Trop volumineux : 2 Mo au plus.' })).toBeVisible();
    await look(maria.page, 'call-files-guest');
    await maria.page.getByRole('button', { name: 'Retirer film.mp4' }).click();
    await expect(maria.page.getByText('film.mp4')).toHaveCount(0);
  });

  await test.step('dropped and pasted files go the same way', async () => {
    for (const kind of ['drop', 'paste'] as const) {
      await luc.page.evaluate((kind) => {
        const carried = new DataTransfer();
        carried.items.add(new File([kind], `${kind}.txt`, { type: 'text/plain' }));
        const target = document.querySelector('.panel textarea');
        if (kind === 'drop') target?.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));
        else target?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true }));
      }, kind);
      await expect(lines(host.page).filter({ hasText: `${kind}.txt` })).toHaveCount(1);
    }
  });

  await test.step('one on its way can be given up, and nobody hears of it', async () => {
    let thought = (): void => undefined;
    const thinking = new Promise<void>((resolve) => (thought = resolve));
    await luc.page.route('**/call/files/*', async (route) => {
      if (route.request().method() !== 'PUT') return route.continue();
      await thinking; // a path so slow that there is time to think
      await route.continue().catch(() => undefined);
    });
    await attach(luc.page, 'oops.pdf', note);
    const given = luc.page.waitForEvent('requestfailed', (request) => request.method() === 'PUT');
    await luc.page.getByRole('button', { name: 'Cancel sending oops.pdf' }).click();
    await given; // or it may go on before the browser has heard that it is given up
    await expect(luc.page.getByText('oops.pdf')).toHaveCount(0);
    thought();
    await luc.page.unroute('**/call/files/*');
    await attach(luc.page, 'after.txt', Buffer.from('x'), 'text/plain');
    await expect(lines(host.page).filter({ hasText: 'after.txt' })).toHaveCount(1);
    await expect(host.page.getByText('oops.pdf')).toHaveCount(0);
  });

  await test.step('a host deletes any, a sender their own, and all see it vanish', async () => {
    await look(host.page, 'call-files');
    await expect(maria.page.getByRole('button', { name: 'Supprimer drop.txt' }), 'of somebody else').toHaveCount(0);
    await host.page.getByRole('button', { name: 'Supprimer facture_fdp.exe' }).click();
    await look(host.page, 'call-files-delete');
    await host.page.getByRole('alertdialog').getByRole('button', { name: 'Supprimer' }).click();
    for (const one of [host, maria, luc]) await expect(one.page.getByText('facture_fdp.exe')).toHaveCount(0);
    await expect(maria.page.getByText('Fichier supprimé')).toHaveCount(1);
    await luc.page.getByRole('button', { name: 'Delete paste.txt' }).click();
    await luc.page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await expect(host.page.getByText('paste.txt')).toHaveCount(0);
    await luc.page.reload();
    await luc.expectInCall();
    await luc.openPanel('chat');
    await expect(luc.page.getByText('File deleted')).toHaveCount(2);
  });

  const draft = { name: 'note.pdf', size: 4, to: 'everyone' };
  await test.step('where a host grants it, a guest waits for the host’s word', async () => {
    await change('accordés par un hôte');
    for (const one of [maria, luc]) await expect(one.page.getByTestId('attach')).toHaveCount(0);
    expect(await asks(maria, 'POST', '/files', draft)).toBe(403);
    expect((await keep(maria.page, 'Enregistrer Procès-verbal signé.pdf')).sum, 'what was sent before stays').toBe(sum(note));
    await host.openPanel('people');
    await host.page.getByRole('button', { name: 'Actions pour Maria Oliveira' }).click();
    await host.page.getByRole('menuitem', { name: 'Changer les droits' }).click();
    await host.page.getByRole('dialog').getByRole('switch', { name: /^Envoi de fichiers/ }).click();
    await look(host.page, 'rights-files');
    await host.page.getByRole('dialog').getByRole('button', { name: 'Appliquer' }).click();
    await expect(maria.page.getByTestId('moderated').getByText('vous permet d’envoyer des fichiers')).toBeVisible();
    await attach(maria.page, 'accordé.txt', Buffer.from('x'), 'text/plain');
    await host.openPanel('chat');
    await expect(lines(host.page).filter({ hasText: 'accordé.txt' })).toHaveCount(1);
    await expect(luc.page.getByTestId('attach')).toHaveCount(0);
  });

  await test.step('where it is off, there is no button and no way', async () => {
    await change('jamais');
    await expect(maria.page.getByTestId('attach')).toHaveCount(0);
    expect(await asks(maria, 'POST', '/files', draft)).toBe(403);
    await attach(host.page, 'hôte.txt', Buffer.from('x'), 'text/plain');
    await expect(lines(maria.page).filter({ hasText: 'hôte.txt' })).toHaveCount(1);
  });

  await test.step('who is removed gets nothing any more', async () => {
    const id = await host.page.evaluate(async (meeting) => {
      const { messages } = (await (await fetch(`/api/v1/meetings/${meeting}/call/messages`)).json()) as { messages: { file?: { id: string; deleted: boolean } }[] };
      return messages.find(({ file }) => file && !file.deleted)?.file?.id ?? '';
    }, host.meeting);
    expect(await asks(maria, 'GET', `/files/${id}`)).toBe(200);
    await host.remove('Maria Oliveira');
    expect(await asks(maria, 'GET', `/files/${id}`)).toBeGreaterThanOrEqual(401);
  });
});
