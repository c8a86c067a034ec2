// Journey 2: a guest is refused, cannot come back by the same link, and can once the host lifts it.

import { expect, test } from '@playwright/test';
import { expectNoWayIn } from './support/denied.ts';
import { expectPicture } from './support/media.ts';
import { Guest, Host, views } from './support/people.ts';
import { Server } from './support/server.ts';
import { expectNothingBeforeAdmission } from './support/watch.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

for (const [where, context] of views) {
  test(`journey 2${where}: refused politely, kept out, let in again when the host lifts it`, async () => {
    guest = await Guest.arrive({ context });
    await host.signIn(server);
    await host.createMeeting('Entretien');
    const link = await host.invite('Karim Haddad');
    const { identity } = await host.enter();

    await guest.open(link);
    await guest.knock('Karim Haddad');
    await host.expectKnock('Karim Haddad');
    await host.refuse('Karim Haddad');

    await test.step('the guest reads a polite page that says what to do', async () => {
      await guest.expectHeading('Your request was not accepted');
      await expect(guest.page.getByText('contact the person who invited you')).toBeVisible();
    });

    await test.step('neither reloading, nor the link, nor a second tab, nor the API lets them in', async () => {
      await guest.page.reload();
      await guest.expectHeading('Your request was not accepted');
      await guest.open('about:blank');
      await guest.open(link);
      await guest.expectHeading('Your request was not accepted');
      await guest.inSecondTab(async () => {
        await guest.open(link);
        await guest.expectHeading(/^(Your request was not accepted|This link is already in use elsewhere)/);
        await expect(guest.page.getByRole('button', { name: 'Ask to enter' })).toHaveCount(0);
      });
      await expectNoWayIn({ server: server.url, meeting: host.meeting, session: await guest.session(), hostIdentity: identity });
      await expectNothingBeforeAdmission(guest.page, guest.watch, { identities: [identity], names: [] });
    });

    await test.step('the host lifts the refusal: the guest may knock again and is let in', async () => {
      await host.lift('Karim Haddad');
      await guest.askAgain('Karim Haddad');
      await host.expectKnock('Karim Haddad');
      await host.admit('Karim Haddad');
      await guest.expectInCall();
      await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
    });
  });
}
