// livekit-client rooms in one page. Pictures are coloured canvases, which a browser without a camera
// has too; sound is the browser's false microphone (no AudioContext: without any audio device
// Firefox never starts one). installLab runs in the page; it uses nothing of this module.

import type * as LiveKit from 'livekit-client';

export interface Lab {
  /** Joins as name; options go to the Room. */
  join(name: string, url: string, token: string, options: { singlePeerConnection: boolean; dynacast?: boolean; adaptiveStream?: boolean; autoSubscribe?: boolean }): Promise<void>;
  room(name: string): LiveKit.Room;
  /** Publishes a canvas of a colour (a hue of 0 to 359), or the microphone. Returns the track's sid. */
  publish(name: string, kind: 'video' | 'audio', hue?: number, simulcast?: boolean): Promise<string>;
  /** Events of a room in the order they came. */
  seen(name: string): string[];
  /** Texts received as data, in order. */
  texts(name: string): string[];
  /** Hues of the pictures that a room shows now, by the publisher's name. */
  hues(name: string): Record<string, number>;
  /** Frames that a room has decoded of a publisher's picture. */
  frames(name: string, of: string): Promise<number>;
  /** Energy of a publisher's sound that a room has received so far; silence has none. */
  energy(name: string, of: string): Promise<number>;
  /** Peer connections that were ever made in the page. */
  connections(): number;
  leave(name: string): Promise<void>;
}

declare global {
  interface Window {
    lab: Lab;
  }
}

export function installLab(): void {
  const { Room, RoomEvent, Track } = window.LivekitClient;
  interface One {
    room: LiveKit.Room;
    seen: string[];
    texts: string[];
    ends: (() => void)[];
  }
  const all = new Map<string, One>();
  const one = (name: string): One => {
    const found = all.get(name);
    if (!found) throw new Error(`nobody here is ${name}`);
    return found;
  };
  let made = 0;
  window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
    construct(target, args: ConstructorParameters<typeof RTCPeerConnection>, newTarget) {
      made++;
      return Reflect.construct(target, args, newTarget) as RTCPeerConnection;
    },
  });
  const canvas = (hue: number, ends: (() => void)[]): MediaStreamTrack => {
    const picture = document.createElement('canvas');
    [picture.width, picture.height] = [640, 360];
    const pen = picture.getContext('2d');
    let at = 0;
    const paint = () => {
      if (!pen) return;
      pen.fillStyle = `hsl(${hue} 100% 50%)`;
      pen.fillRect(0, 0, 640, 360);
      pen.fillStyle = 'white';
      pen.fillRect((at += 16) % 640, 0, 16, 40);
    };
    paint();
    const timer = setInterval(paint, 66);
    const track = picture.captureStream(15).getVideoTracks()[0];
    if (!track) throw new Error('a canvas without a track');
    ends.push(() => (clearInterval(timer), track.stop()));
    return track;
  };
  const microphone = async (ends: (() => void)[]): Promise<MediaStreamTrack> => {
    const track = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0];
    if (!track) throw new Error('a microphone without a track');
    ends.push(() => track.stop());
    return track;
  };
  const arrived = async (name: string, of: string, source: LiveKit.Track.Source, what: string): Promise<number> => {
    const track = one(name).room.remoteParticipants.get(of)?.getTrackPublication(source)?.track;
    for (const report of (await track?.getRTCStatsReport())?.values() ?? []) {
      if (report.type === 'inbound-rtp') return (Reflect.get(report, what) as number | undefined) ?? 0;
    }
    return 0;
  };
  const hueOf = (video: HTMLVideoElement): number | undefined => {
    if (video.videoWidth === 0 || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return undefined;
    const picture = document.createElement('canvas');
    [picture.width, picture.height] = [8, 8];
    const pen = picture.getContext('2d', { willReadFrequently: true });
    if (!pen) return undefined;
    pen.drawImage(video, 0, video.videoHeight / 2, video.videoWidth, video.videoHeight / 4, 0, 0, 8, 8);
    const [r = 0, g = 0, b = 0] = pen.getImageData(4, 4, 1, 1).data;
    const most = Math.max(r, g, b);
    const span = most - Math.min(r, g, b);
    if (span < 64) return undefined; // black, grey or white: no colour of ours
    const sixth = most === r ? ((g - b) / span + 6) % 6 : most === g ? (b - r) / span + 2 : (r - g) / span + 4;
    return Math.round(sixth * 60);
  };
  window.lab = {
    async join(name, url, token, { autoSubscribe = true, ...options }) {
      const room = new Room(options);
      const me: One = { room, seen: [], texts: [], ends: [] };
      all.set(name, me);
      const note = (what: string, who = '') => void me.seen.push(who ? `${what}:${who}` : what);
      room
        .on(RoomEvent.ParticipantConnected, (p) => note('participantConnected', p.identity))
        .on(RoomEvent.ParticipantDisconnected, (p) => note('participantDisconnected', p.identity))
        .on(RoomEvent.TrackPublished, (publication, p) => note('trackPublished', `${p.identity}/${publication.kind}${publication.isMuted ? '/muted' : ''}`))
        .on(RoomEvent.TrackUnpublished, (publication, p) => note('trackUnpublished', `${p.identity}/${publication.kind}`))
        .on(RoomEvent.TrackSubscribed, (track, _publication, p) => {
          note('trackSubscribed', `${p.identity}/${track.kind}`);
          const element = track.attach();
          element.dataset['room'] = name;
          element.dataset['of'] = p.identity;
          document.body.append(element);
        })
        .on(RoomEvent.TrackUnsubscribed, (track, _publication, p) => {
          note('trackUnsubscribed', `${p.identity}/${track.kind}`);
          track.detach().forEach((element) => element.remove());
        })
        .on(RoomEvent.TrackMuted, (publication, p) => note('trackMuted', `${p.identity}/${publication.kind}`))
        .on(RoomEvent.TrackUnmuted, (publication, p) => note('trackUnmuted', `${p.identity}/${publication.kind}`))
        .on(RoomEvent.ActiveSpeakersChanged, (speakers) => speakers.forEach((p) => note('speaking', p.identity)))
        .on(RoomEvent.ParticipantPermissionsChanged, (_before, p) => note('permissions', p.identity))
        .on(RoomEvent.RoomMetadataChanged, (metadata) => note('roomMetadata', metadata))
        .on(RoomEvent.SignalReconnecting, () => note('signalReconnecting'))
        .on(RoomEvent.Reconnecting, () => note('reconnecting'))
        .on(RoomEvent.Reconnected, () => note('reconnected'))
        .on(RoomEvent.Disconnected, (reason) => note('disconnected', String(reason)))
        .on(RoomEvent.DataReceived, (payload) => void me.texts.push(new TextDecoder().decode(payload)));
      await room.connect(url, token, { autoSubscribe });
    },
    room: (name) => one(name).room,
    async publish(name, kind, hue = 0, simulcast = false) {
      const me = one(name);
      const publication =
        kind === 'video'
          ? await me.room.localParticipant.publishTrack(canvas(hue, me.ends), { source: Track.Source.Camera, simulcast })
          : await me.room.localParticipant.publishTrack(await microphone(me.ends), { source: Track.Source.Microphone });
      return publication.trackSid;
    },
    seen: (name) => [...one(name).seen],
    texts: (name) => [...one(name).texts],
    hues(name) {
      const hues: Record<string, number> = {};
      for (const video of document.querySelectorAll('video')) {
        const hue = video.dataset['room'] === name ? hueOf(video) : undefined;
        if (hue !== undefined) hues[video.dataset['of'] ?? ''] = hue;
      }
      return hues;
    },
    frames: (name, of) => arrived(name, of, Track.Source.Camera, 'framesDecoded'),
    energy: (name, of) => arrived(name, of, Track.Source.Microphone, 'totalAudioEnergy'),
    connections: () => made,
    async leave(name) {
      const me = one(name);
      await me.room.disconnect();
      me.ends.forEach((end) => end());
    },
  };
}
