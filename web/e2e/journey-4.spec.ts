// Journey 4: a host removes a guest. Media stops on the server, and nothing that the guest holds opens anything.

import { expect, test } from '@playwright/test';
import { call, validate } from './support/api.ts';
import { expectNoWayIn } from './support/denied.ts';
import { expectPicture, marks, received } from './support/media.ts';
import { Guest, Host, views } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let removed: Guest;
let other: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  other = await Guest.arrive({ side: 'OTHER' });
});

test.afterEach(async () => {
  await host?.leave();
  await removed?.leave();
  await other?.leave();
  await server?.stop();
});

for (const [where, context] of views) {
  test(`journey 4${where}: after a removal the server forwards nothing to that session, and its tokens are dead`, async () => {
    // This guest's browser does not let go: it ignores every wish to close the peer connection, as a hostile client would.
    removed = await Guest.arrive({ clings: true, context });
    await host.signIn(server);
    await host.createMeeting('Audition');
    const link = await host.invite('Karim Haddad');
    const otherLink = await host.invite('Inês Duarte');
    const { identity } = await host.enter();
    for (const [guest, name, url] of [[removed, 'Karim Haddad', link], [other, 'Inês Duarte', otherLink]] as const) {
      await guest.open(url);
      await guest.knock(name);
      await host.admit(name);
      await guest.expectInCall();
    }
    await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(host.page, 'OTHER'), expectPicture(removed.page, 'HOST'), expectPicture(other.page, 'GUEST')]);
    const tokens = await removed.tokens();
    const session = await removed.session();

    await host.remove('Karim Haddad');

    await test.step('nothing more is forwarded to the removed session, while the others go on', async () => {
      const atRemoval = await received(removed.page);
      const others = await received(other.page);
      // The others' packets are the clock: two hundred more of them, and not one here.
      await expect.poll(async () => (await received(other.page)).packets - others.packets, { timeout: 30_000 }).toBeGreaterThan(200);
      const now = await received(removed.page);
      expect(atRemoval.packets).toBeGreaterThan(0);
      expect(now.packets - atRemoval.packets, 'packets that reached the removed guest').toBe(0);
      await expectPicture(other.page, 'HOST');
      await expectPicture(host.page, 'OTHER');
    });

    await test.step('nothing of the removed guest is forwarded to the others', async () => {
      for (const page of [host.page, other.page]) {
        await expect.poll(async () => (await marks(page)).map((mark) => mark.side)).not.toContain('GUEST');
      }
    });

    await test.step('the guest is told, and finds no way back', async () => {
      await removed.expectHeading('A host removed you from the meeting');
      expect(tokens.length).toBeGreaterThan(0);
      for (const token of tokens) expect([401, 403], 'an old token').toContain((await validate(server.url, token)).status);
      await expectNoWayIn({ server: server.url, meeting: host.meeting, session, hostIdentity: identity });
      const again = await call(server.url, 'POST', '/guest/knock', { session }, { name: 'Karim Haddad' });
      expect([403, 409], again.text).toContain(again.status);
      await removed.page.reload();
      await removed.expectHeading('A host removed you from the meeting');
      await removed.open('about:blank');
      await removed.open(link);
      await removed.expectHeading(/^(A host removed you from the meeting|Your request was not accepted)/);
    });
  });
}
