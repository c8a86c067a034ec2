// The measuring instruments are tested first: a journey is worth what its eyes are worth.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { Person } from './support/browser.ts';
import { expectPicture, expectVoice, marks } from './support/media.ts';

test('marks and voices are read off a picture that went through an encoder', async () => {
  const pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><video autoplay playsinline></video>'));
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  const guest = await Person.arrive({ side: 'GUEST' });
  try {
    await guest.page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}`);
    expect(await marks(guest.page)).toEqual([]);
    await guest.page.evaluate(async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
      const [from, to] = [new RTCPeerConnection(), new RTCPeerConnection()];
      from.onicecandidate = (event) => void to.addIceCandidate(event.candidate ?? undefined);
      to.onicecandidate = (event) => void from.addIceCandidate(event.candidate ?? undefined);
      const video = document.querySelector('video');
      to.ontrack = (event) => video && (video.srcObject = event.streams[0] ?? null);
      stream.getTracks().forEach((track) => from.addTrack(track, stream));
      await from.setLocalDescription();
      if (from.localDescription) await to.setRemoteDescription(from.localDescription);
      await to.setLocalDescription();
      if (to.localDescription) await from.setRemoteDescription(to.localDescription);
    });
    await expectPicture(guest.page, 'GUEST');
    await expectVoice(guest.page);
    expect((await marks(guest.page)).map((mark) => mark.side)).toEqual(['GUEST']);
  } finally {
    await guest.leave();
    pages.close();
  }
});
