// Journey 1: an agent and an outside guest meet through the lobby.

import { expect, test } from '@playwright/test';
import { validate } from './support/api.ts';
import { expectNoWayIn } from './support/denied.ts';
import { expectCode, expectPicture, expectVoice, received } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';
import { expectNothingBeforeAdmission } from './support/watch.ts';

const title = 'Coopération consulaire';

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

test('journey 1: create, invite, knock, admit, see and hear each other, end for all', async () => {
  await host.signIn(server);
  await host.createMeeting(title);
  const link = await host.invite('Maria Oliveira');
  const { identity, token: hostToken } = await host.enter();

  await test.step('the guest opens the link: the secret stays in the browser', async () => {
    await guest.open(link);
    await guest.expectHeading(title);
    expect(new URL(guest.page.url()).hash, 'secret in the address bar').toBe('');
    const secret = new URL(link).hash.slice(1);
    for (const request of guest.watch.requests) {
      const told = [request.url(), request.postData() ?? '', JSON.stringify(await request.allHeaders())].join('\n');
      expect(told, 'the link’s secret in a request').not.toContain(secret);
    }
    expect(server.log, 'the link’s secret in the log').not.toContain(secret);
  });

  await test.step('knocks, and the host sees it pushed', async () => {
    await guest.knock('Maria Oliveira');
    await host.expectKnock('Maria Oliveira');
    await guest.expectHeading(`${host.name} knows you are here`);
  });

  await test.step('tests camera and microphone while waiting', async () => {
    await guest.page.getByRole('button', { name: guest.words.tryDevices }).click();
    await expectPicture(guest.page, 'GUEST');
    await expect(guest.page.getByText('You can be heard well.')).toBeVisible();
  });

  await test.step('before admission the guest was given nothing, and finds no way in', async () => {
    await expectNothingBeforeAdmission(guest.page, guest.watch, { identities: [identity], names: [] });
    await expectNoWayIn({ server: server.url, meeting: host.meeting, session: await guest.session(), hostIdentity: identity });
    await guest.expectHeading(`${host.name} knows you are here`);
    expect(await received(host.page), 'media that reached the host').toMatchObject({ framesDecoded: 0 });
  });

  await test.step('the host lets the guest in: both see and hear each other', async () => {
    await host.admit('Maria Oliveira');
    await guest.expectInCall();
    await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
    await Promise.all([expectVoice(host.page), expectVoice(guest.page)]);
    // The instrument itself: what was not there before is seen now.
    await expect(expectNothingBeforeAdmission(guest.page, guest.watch, { identities: [identity], names: [] })).rejects.toThrow('media that reached the guest');
    expect((await guest.watch.texts()).some((text) => text.includes(identity)), 'the host’s identity, once admitted').toBe(true);
    expect((await guest.tokens()).length, 'media tokens, once admitted').toBeGreaterThan(0);
    expect((await validate(server.url, await guest.token())).status, 'the guest’s token').toBe(200);
  });

  await test.step('they write to each other', async () => {
    await host.say('Bienvenue, Maria.');
    await guest.expectMessage('Bienvenue, Maria.');
    await guest.say('Thank you! <b>Good morning</b>');
    await host.expectMessage('Thank you! <b>Good morning</b>');
  });

  await test.step('the guest shares a screen, the host sees it', async () => {
    await guest.shareScreen();
    await expectCode(host.page, 'OTHER');
    await guest.stopSharing();
  });

  await test.step('the agent ends it for all, at once', async () => {
    const guestToken = await guest.token();
    await host.endForAll();
    await guest.expectHeading('The meeting is over');
    for (const token of [guestToken, hostToken]) {
      expect([401, 403, 404], 'a token after the end').toContain((await validate(server.url, token)).status);
    }
    // The call's own entry leaves the history after it: a reload meanwhile would be cut off.
    await guest.page.waitForFunction(() => history.state === null);
    await guest.page.reload();
    await guest.expectHeading('The meeting is over');
  });

  await test.step('no secret is in the log', async () => {
    for (const secret of [await guest.session(), await guest.token(), hostToken]) expect(server.log).not.toContain(secret);
  });
});
