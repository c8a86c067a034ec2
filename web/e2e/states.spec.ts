// Every state that a guest's page can be in, made by answering in the server's place: what the API's description lists is
// what is shown, and a state that it gains and nobody shows here does not compile. Each is looked at in one of many views
// (`make screenshots`: in all of them, for their pictures): one heading, nothing to scroll sideways, no finding of axe.

import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import type { components } from '../src/api/schema.d.ts';
import { findings } from './support/axe.ts';
import { executable, flags } from './support/browser.ts';
import { Server } from './support/server.ts';

type Schemas = components['schemas'];
type GuestView = Schemas['GuestView'];
type Status = GuestView['status'];
type ProblemType = Schemas['Problem']['type'];

const hour = 3_600_000;
const at = (fromNow: number): string => new Date(Date.now() + fromNow).toISOString();

const view: GuestView = {
  status: 'entry',
  meeting: {
    title: 'Coopération consulaire', organiser: 'Anne Bernard', time_zone: 'Europe/Paris', state: 'open', profile: 'standard',
    profile_name: { fr: 'Standard', en: 'Standard', ar: 'عادي' },
    sentence: { fr: 'Chacun entre par un lien et attend qu’un hôte l’admette.', en: 'Everybody comes in by a link and waits until a host lets them in.', ar: 'يدخل الجميع برابط وينتظرون إلى أن يُدخلهم مضيف.' },
    keep_chat_days: 0, locked: false, recording: 'none',
  },
  link: { kind: 'personal', pin: false, expires_at: at(24 * hour), guest_name: 'Maria Oliveira', organisation: 'MNE' },
  knock: null,
  host_knows: false, host_present: false, host_watching: false,
  recognised_by: 'browser',
  binding: { session: 's', challenge: 'c', bound: true },
};
const knock = { status: 'waiting', since: at(-4 * 60_000), name: 'Maria Oliveira', organisation: 'MNE', sent_back: false, messages: [] } as const satisfies Schemas['GuestKnock'];
const message = (from: 'host' | 'guest', text: string, seq = 1) => ({ seq, by_host: from === 'host', by_name: from === 'host' ? 'Anne Bernard' : knock.name, text, at: at(-60_000) });

const long = 'Réunioninterministériellesurlacoopérationconsulaireeuropéenneetinternationale'.repeat(2);

/** What can be true of each status, by name. */
const statuses: Record<Status, Record<string, Partial<GuestView>>> = {
  entry: {
    personal: {},
    shared: { link: { kind: 'shared', pin: false, expires_at: at(hour) } },
    pin: { link: { ...view.link, pin: true } },
    early: { meeting: { ...view.meeting, state: 'scheduled', starts_at: at(5 * hour), ends_at: at(6 * hour) } },
    'kept-chat': { meeting: { ...view.meeting, keep_chat_days: 90 } },
    long: { meeting: { ...view.meeting, title: long, organiser: long }, link: { ...view.link, guest_name: long.slice(0, 120) } },
  },
  waiting: {
    'nobody-yet': { knock },
    known: { knock, host_knows: true, host_watching: true, known_by: 'Anne Bernard' },
    'host-busy': { knock, host_knows: true, host_present: true, known_by: 'Anne Bernard' },
    'sent-back': { knock: { ...knock, sent_back: true, messages: [message('host', 'Deux minutes, s’il vous plaît.')] }, host_present: true, host_watching: true },
    written: { knock: { ...knock, messages: [message('host', long), message('guest', 'Merci.', 2)] }, host_watching: true },
    locked: { knock, meeting: { ...view.meeting, locked: true }, host_present: true },
    unbound: { knock, binding: { ...view.binding, bound: false } },
  },
  admitted: { 'no-token': { knock: { ...knock, status: 'admitted' } } },
  denied: {
    silent: { knock: { ...knock, status: 'denied' }, recognised_by: 'tab' },
    message: { knock: { ...knock, status: 'denied', message: 'Nous vous écrirons.' }, recognised_by: 'browser' },
    link: { knock: { ...knock, status: 'denied', message: long }, recognised_by: 'link' },
  },
  removed: { link: { recognised_by: 'link' }, tab: { recognised_by: 'tab' } },
  banned: { link: { knock: { ...knock, status: 'denied', message: 'Non.' }, recognised_by: 'link' } },
  withdrawn: { plain: { knock: { ...knock, status: 'withdrawn' } }, pin: { knock: { ...knock, status: 'withdrawn' }, link: { ...view.link, pin: true } } },
  expired: { plain: { knock: { ...knock, status: 'expired' } } },
  ended: { plain: { meeting: { ...view.meeting, state: 'ended' } } },
  revoked: { plain: {} },
};

type Refusal = Omit<Schemas['Problem'], 'type' | 'title' | 'status'>;
/** What a link may be refused with, by name; [] for what only other calls answer. */
const refusals: Record<ProblemType, Refusal[]> = {
  'urn:aparte:problem:invalid': [{}],
  'urn:aparte:problem:unauthenticated': [{}],
  'urn:aparte:problem:link-unknown': [{}],
  'urn:aparte:problem:recording-unavailable': [], 'urn:aparte:problem:recording-quota': [], 'urn:aparte:problem:recording-held': [], 'urn:aparte:problem:recording-locked': [],
  'urn:aparte:problem:link-early': [{ valid_from: at(30 * hour), host: 'Anne Bernard' }],
  'urn:aparte:problem:link-expired': [{ host: 'Anne Bernard' }],
  'urn:aparte:problem:link-revoked': [{}],
  'urn:aparte:problem:link-full': [{}],
  'urn:aparte:problem:link-in-use': [{ host: 'Anne Bernard' }],
  'urn:aparte:problem:proof-invalid': [{}],
  'urn:aparte:problem:denied': [{}],
  'urn:aparte:problem:banned': [{}],
  'urn:aparte:problem:meeting-ended': [{}],
  'urn:aparte:problem:profile-refuses': ['guests', 'shared_links', 'personal_links', 'pin', 'link_hours'].map((line) => ({ line, host: 'Anne Bernard', profile: { fr: 'Protégé', en: 'Protected', ar: 'محمي' } })),
  'urn:aparte:problem:profile-unavailable': [{ needs: ['e2ee'], host: 'Anne Bernard', profile: { fr: 'Sensible', en: 'Sensitive', ar: 'حساس' } }],
  'urn:aparte:problem:too-many': [{}],
  'urn:aparte:problem:unavailable': [{}],
  'urn:aparte:problem:internal': [{ instance: '7f3a-22c1' }],
  'urn:aparte:problem:forbidden': [], 'urn:aparte:problem:not-found': [], 'urn:aparte:problem:conflict': [], 'urn:aparte:problem:last-administrator': [],
  'urn:aparte:problem:pin-required': [], 'urn:aparte:problem:pin-wrong': [], 'urn:aparte:problem:meeting-locked': [], 'urn:aparte:problem:meeting-not-open': [],
  'urn:aparte:problem:must-knock': [], 'urn:aparte:problem:no-host': [], 'urn:aparte:problem:chat-full': [], 'urn:aparte:problem:file-too-large': [],
  'urn:aparte:problem:file-not-whole': [], 'urn:aparte:problem:too-many-files': [], 'urn:aparte:problem:files-full': [], 'urn:aparte:problem:no-room-for-files': [],
  'urn:aparte:problem:not-stored': [],
  'urn:aparte:problem:own-account': [], 'urn:aparte:problem:account-disabled': [], 'urn:aparte:problem:other-posts': [],
};

const sizes = { narrow: [320, 640], phone: [390, 844], lying: [844, 390], laptop: [1280, 800], large: [1920, 1080] } as const;
const languages = ['fr', 'en', 'ar'] as const;
const themes = ['light', 'dark'] as const;
const views = Object.keys(sizes).flatMap((size) => languages.flatMap((lang) => themes.map((theme) => ({ size: size as keyof typeof sizes, lang, theme }))));
type View = (typeof views)[number];
const all = process.env['VIEWS'] === 'all';
const folder = path.join(import.meta.dirname, 'test-results', 'states');
const tag = { tag: '@states' };

let server: Server;
const others: Server[] = [];
let browser: Browser;
let page: Page;
let turn = 0;

test.describe.configure({ mode: 'default' });
test.beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  server = await Server.start();
  browser = await chromium.launch({ executablePath: executable, args: [...flags, '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] });
});
test.afterAll(async () => {
  await browser?.close();
  await Promise.all([server, ...others].map((one) => one?.stop()));
});
test.beforeEach(async () => {
  if (all) test.setTimeout(0);
  page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage();
});
test.afterEach(() => page?.context().close());

/** The views that a state is looked at in: all, or the next in turn, so that every view comes up among the states. */
function* due(): Generator<View> {
  if (all) return yield* views;
  const next = views[(turn++ * 7) % views.length]; // 7 and their number have no divisor in common
  if (next) yield next;
}

async function look(name: string, show: (view: View) => Promise<void>): Promise<void> {
  for (const one of due()) {
    const seen = `${name}, ${one.size}, ${one.theme}, ${one.lang}`;
    await test.step(seen, async () => {
      const [width, height] = sizes[one.size];
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: one.theme });
      await show(one);
      const heading = page.getByRole('heading', { level: 1 });
      await expect(heading, `one heading: ${seen}`).toHaveCount(1);
      await expect(heading, `the heading is visible: ${seen}`).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.lang), seen).toBe(one.lang);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(sideways, `pixels to scroll sideways: ${seen}`).toBeLessThanOrEqual(0);
      // All of them are thousands: pictures to look through, without axe's minutes.
      if (all) return void (await page.screenshot({ path: path.join(folder, `${name}-${one.size}-${one.theme}-${one.lang}.png`), fullPage: true }));
      expect.soft(await findings(page), `accessibility: ${seen}`).toEqual([]);
    });
  }
}

let links = 0;
/** A link that nobody has opened, so that the tab remembers nothing of it. */
function link(lang: string): string {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(++links);
  return `${server.url}/i/${id.toString('base64url')}?lang=${lang}#${Buffer.alloc(32, 7).toString('base64url')}`;
}

const json = (body: unknown, status = 200) => ({ status, contentType: status === 200 ? 'application/json' : 'application/problem+json', body: JSON.stringify(body) });

async function answerAs(guest: GuestView): Promise<void> {
  await page.unrouteAll();
  await page.route('**/api/v1/guest/redeem', (route) => route.fulfill(json({ session: 'session', guest })));
  await page.route('**/api/v1/guest/token', (route) => route.fulfill(json({ type: 'urn:aparte:problem:unavailable', title: 'unavailable', status: 503 }, 503)));
}

for (const [status, variants] of Object.entries(statuses) as [Status, (typeof statuses)[Status]][]) {
  test(`a guest whose status is ${status}`, tag, async () => {
    let current = view;
    await page.routeWebSocket('**/api/v1/guest/lobby', (socket) => {
      socket.onMessage(() => socket.send(JSON.stringify({ type: 'state', guest: current })));
    });
    for (const [variant, over] of Object.entries(variants)) {
      current = { ...view, status, ...over };
      await answerAs(current);
      await look(`${status}-${variant}`, async ({ lang }) => {
        await page.goto(link(lang));
        if (status === 'entry' || (status === 'withdrawn' && current.link.pin)) await expect(page.getByRole('button', { name: /^(Demander à entrer|Ask to enter|طلب)/ })).toBeEnabled();
        else await expect(page.locator('#guest-name'), 'no entry page').toHaveCount(0);
      });
    }
  });
}

test('every way in which a link is refused', tag, async () => {
  for (const [type, cases] of Object.entries(refusals)) {
    for (const [i, refusal] of cases.entries()) {
      const status = /unavailable|internal/.test(type) ? 503 : 403;
      await page.unrouteAll();
      await page.route('**/api/v1/guest/redeem', (route) => route.fulfill(json({ type, title: 'refused', status, ...refusal }, status)));
      await look(`refused-${type.split(':').at(-1)}${i || ''}`, async ({ lang }) => {
        await page.goto(link(lang));
        await expect(page.locator('#guest-name'), 'no entry page').toHaveCount(0);
      });
    }
  }
  // The link has not reached the server at all.
  await page.unrouteAll();
  await page.route('**/api/v1/guest/redeem', (route) => route.abort('connectionrefused'));
  await look('refused-offline', async ({ lang }) => {
    await page.goto(link(lang));
    await expect(page.locator('#guest-name'), 'no entry page').toHaveCount(0);
  });
});

/** Signs in where nobody has: the link is good once. The page that uses it has a heading too, so that is not waited for. */
async function signIn(to: Server): Promise<void> {
  await page.goto(to.agentURL);
  await expect(page.getByRole('button', { name: /^Compte|account$/ })).toBeVisible();
}

/** Opens what is folded in a list of recordings: files and checksums, the commands of the archive. */
async function unfold(): Promise<void> {
  await page.locator('.recs-list details').evaluateAll((all) => all.forEach((one) => one.setAttribute('open', '')));
}

/** Recordings as their hosts, a colleague, and administrators of the post see them. */
const recordings: Schemas['FoundRecording'][] = (() => {
  const one = (id: string, more: Partial<Schemas['Recording']>, of: Partial<Schemas['FoundRecording']> = { role: 'host' }): Schemas['FoundRecording'] => ({
    meeting: 'M', title: 'Coopération consulaire', post: 'P', post_name: 'Dakar', ...of,
    recording: {
      id, state: 'stopped', by: 'Anne Bernard', purpose: 'Compte rendu de la réunion', from: at(-30 * hour), to: at(-29 * hour), expires_at: at(2000 * hour), because: 'host', sealed: true, bytes: 640_000_000,
      people: [{ name: 'Inês Duarte', withdrawn: false }, { name: 'كريم حداد', withdrawn: true }], declined: ['Rui Costa'], deleting: false, may: ['download', 'share', 'delete'], shares: [], downloads: [],
      parts: [{ number: 1, name: 'recording-2027-03-02-AAAAAAAAAAAAAAAAAAAAAA-part-0001.tar', bytes: 640_000_000, closed: true, broken_off: false, stored: 'here' }], ...more,
    },
  });
  const shares = [{ account: 'C', name: 'Luc Petit', since: at(-20 * hour), until: at(100 * hour) }];
  const downloads: Schemas['RecordingDownload'][] = [{ name: 'Luc Petit', what: 'part', part: 1, extent: 'range', at: at(-2 * hour) }, { what: 'part', part: 1, extent: 'whole', at: at(-3 * hour) }];
  const part = (number: number, more: Partial<Schemas['RecordingPart']>): Schemas['RecordingPart'] => ({ number, name: `recording-2027-03-02-AAAAAAAAAAAAAAAAAAAAAA-part-000${number}.tar`, bytes: 640_000_000, closed: true, broken_off: false, stored: 'here', ...more });
  const running = one('running', { state: 'running', may: [], parts: [] });
  for (const ended of ['to', 'because', 'expires_at'] as const) delete running.recording[ended];
  return [
    running,
    one('in the store', {
      sealed: false, may: ['watch', 'download', 'share', 'compose'], locked_until: at(2000 * hour), shares, downloads: [{ name: 'Luc Petit', what: 'film', part: 0, extent: 'whole', at: at(-2 * hour) }],
      parts: [part(1, { stored: 'there', sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' }), part(2, { stored: 'uploading', sha256: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752' }), part(3, { bytes: 12_000_000 })],
    }),
    one('interrupted', { state: 'interrupted', because: 'server-crashed', may: ['download'], parts: [part(1, { broken_off: true })] }),
    one('shared by us', { because: 'no-room', shares, downloads }),
    one('held', { because: 'failed', hold: { since: at(-10 * hour) }, may: ['download', 'share'], shares }, { role: 'cohost' }),
    one('to hold', { because: 'quota', declined: [], may: ['hold'], shares }, {}),
    one('to lift', { because: 'nobody-recorded', hold: { since: at(-10 * hour), by: 'Adèle Roy', reason: 'Réquisition du parquet de Paris, dossier 2027-114' }, declined: [], may: ['lift'], downloads }, {}),
    one('shared with us', { because: 'meeting-ended', may: ['download'], declined: [] }, { until: at(100 * hour) }),
    one('being deleted', { because: 'profile', deleting: true, may: ['delete'] }),
  ];
})();

test('every page of an agent: as it is, when the server fails, and while it does not answer', tag, async () => {
  const source = await readFile(path.join(import.meta.dirname, '../src/app/AgentApp.tsx'), 'utf8');
  // Sign-in and set-up are for who is not signed in yet; the tour looks at them.
  const named = [...new Set([...source.matchAll(/at === '(\/[^']*)'/g)].map(([, one]) => one ?? ''))].filter((one) => !['/signin', '/setup', '/'].includes(one));
  expect(named.length, 'paths that the client knows').toBeGreaterThan(5);
  await signIn(server);
  const { meetings, post, auditor } = await page.evaluate(async () => {
    const ask = async <T>(of: string, method = 'GET', body?: object): Promise<T> => {
      const answer = await fetch(`/api/v1${of}`, { method, ...(body ? { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) } : {}) });
      if (!answer.ok) throw new Error(`${method} ${of}: ${answer.status}`);
      return (answer.status === 204 ? undefined : await answer.json()) as T;
    };
    const post = (await ask<{ posts: { id: string }[] }>('/posts')).posts[0]?.id ?? '';
    const { account, invite_url: link } = await ask<{ account: { id: string }; invite_url: string }>('/accounts', 'POST', { name: 'Aude Vidal', email: 'aude@aparte.example' });
    await ask(`/posts/${post}/members/${account.id}`, 'PUT', { role: 'auditor' });
    return { meetings: (await ask<{ meetings: { id: string }[] }>('/meetings')).meetings, post, auditor: new URL(link).hash.slice(1) };
  });
  await page.route('**/api/v1/recordings?*', (route) => route.fulfill(json({ recordings, next: 'more' })));
  await look('recordings-all', async ({ lang }) => {
    await page.goto(`${server.url}/recordings?lang=${lang}`);
    await expect(page.locator('.recs-list > li'), 'one of each').toHaveCount(recordings.length);
    await unfold();
  });
  await page.route('**/api/v1/meetings/*/recordings', (route) => route.fulfill(json({ recordings: recordings.map(({ recording }) => recording) })));
  await look('recordings-of-a-meeting', async ({ lang }) => {
    await page.goto(`${server.url}/meetings/${meetings[0]?.id ?? ''}?lang=${lang}`);
    await expect(page.locator('.recs-list > li'), 'one of each').toHaveCount(recordings.length);
    await unfold();
  });
  // What only auditors read comes last, since they sign in for it.
  const paths = [...named.filter((one) => one !== '/audit'), `/meetings/${meetings[0]?.id ?? ''}`, `/posts/${post}`, `/profiles/${post}/standard`, '/nowhere', '/audit'];
  for (const where of paths) {
    if (where === '/audit') expect((await page.request.post(`${server.url}/api/v1/session/one-time`, { data: { code: auditor } })).status()).toBe(200);
    const name = where.replace(/[A-Za-z0-9_-]{20,}/, 'id').replaceAll('/', '-').slice(1);
    const open = async ({ lang }: View): Promise<void> => {
      const answer = await page.goto(`${server.url}${where}?lang=${lang}`);
      expect(answer?.status(), `${where} by its address`).toBe(where === '/nowhere' ? 404 : 200);
    };
    await page.unrouteAll();
    await look(`agent-${name}`, async (one) => {
      await open(one);
      await expect(page.getByRole('alert').filter({ hasText: /\S/ }), `${where} shows no error`).toHaveCount(0);
    });
    if (where === '/nowhere') continue; // asks the server for nothing
    await page.route(/\/api\/v1\/(?!session$)/, (route) => (route.request().method() === 'GET' ? route.fulfill(json({ type: 'urn:aparte:problem:internal', title: 'internal', status: 500, instance: '7f3a-22c1' }, 500)) : route.continue()));
    await look(`agent-${name}-failing`, open);
    await page.unrouteAll();
    await page.route(/\/api\/v1\/(?!session$)/, (route) => (route.request().method() === 'GET' ? undefined : route.continue()));
    await look(`agent-${name}-slow`, async (one) => {
      await open(one);
      await expect(page.locator('.loading').filter({ hasText: /\S/ }).or(page.locator('form')).first()).toBeVisible();
    });
  }
});

/** How the server may be found, by name: what its own rules find (signaling/health), and what asking may come to. */
const looked: Record<Schemas['HealthFinding']['level'] | 'refused' | 'silent', (findings: (of: string) => Schemas['HealthFinding'][]) => Schemas['HealthFinding'][] | 403> = {
  fine: (of) => of('fine'),
  unknown: (of) => [...of('fine'), ...of('unknown')],
  attention: (of) => [...of('fine'), ...of('unknown'), ...of('attention').slice(0, 3)],
  broken: (of) => [...of('attention'), ...of('broken')],
  refused: () => 403,
  silent: (of) => of('fine'),
};

test('every state of the server, as its administrators see it', tag, async () => {
  const cases = JSON.parse(await readFile(path.join(import.meta.dirname, '../../signaling/health/testdata/findings.golden.json'), 'utf8')) as { findings: Schemas['HealthFinding'][] }[];
  const of = (level: string) => cases.flatMap(({ findings }) => findings).filter((finding) => finding.level === level);
  const areas = ['server', 'database', 'disk', 'media', 'ways', 'certificate', 'clock', 'recordings'];
  const server = await Server.start();
  others.push(server);
  await signIn(server);
  for (const [name, found] of Object.entries(looked)) {
    const told = found(of);
    await page.unrouteAll();
    const seen = new Set<string>(); // a server has each code once
    const findings = told === 403 ? [] : told.toSorted((a, b) => areas.indexOf(a.area) - areas.indexOf(b.area)).filter(({ code }) => !seen.has(code) && seen.add(code));
    let asked = 0;
    await page.route('**/api/v1/health', (route) => {
      if (told === 403) return route.fulfill(json({ type: 'urn:aparte:problem:forbidden', title: 'forbidden', status: 403 }, 403));
      return asked++ > 0 && name === 'silent' ? route.abort('connectionrefused') : route.fulfill(json({ measured_at: at(-20_000), findings }));
    });
    await look(`health-${name}`, async ({ lang }) => {
      asked = 0;
      await page.goto(`${server.url}/health?lang=${lang}`);
      if (told === 403) return expect(page.locator('.empty')).toBeVisible();
      await expect(page.getByRole('status').filter({ hasText: /\S/ })).toHaveCount(1);
      await expect(page.locator('.health-areas > li > ul > li'), 'a line for each finding').toHaveCount(findings.length);
      if (name !== 'silent') return;
      // What was measured stays, with a word that it is of before.
      await page.locator('.health-summary').getByRole('button').click();
      await expect(page.getByRole('alert').filter({ hasText: /\S/ })).toBeVisible();
    });
  }

  // It renews itself, and the focus stays where it is.
  await page.unrouteAll();
  let asked = 0;
  await page.route('**/api/v1/health', (route) => route.fulfill(json({ measured_at: at(0), findings: asked++ === 0 ? of('fine').slice(0, 3) : of('broken').slice(0, 1) })));
  await page.clock.install();
  await page.goto(`${server.url}/health?lang=fr`);
  await expect(page.getByRole('status').filter({ hasText: 'Tout va bien' })).toBeVisible();
  const copy = page.getByRole('button', { name: 'Copier pour l’assistance' });
  await copy.focus();
  await page.clock.fastForward(30_000);
  await expect(page.getByRole('status').filter({ hasText: '1 point demande votre attention' })).toBeVisible();
  await expect(copy).toBeFocused();
});

const madeFilm: Schemas['MadeFilm'] = { take: 1, at: at(-60_000), layout: 'grid', format: 'webm', type: 'video/webm', length: 3725, bytes: 412_000_000, captions: true };
/** Every state of a film, by name. Its times are the state's own. */
const films: Record<string, { recording?: Schemas['Recording']['state']; film?: Partial<Schemas['Film']> & Pick<Schemas['Film'], 'state'> }> = {
  recording: { recording: 'running' },
  sealed: {},
  next: { film: { state: 'queued' } },
  queued: { film: { state: 'queued', ahead: 3, attempts: 1, reason: 'no-room' } },
  begun: { film: { state: 'running', stage: 'opening' } },
  running: { film: { state: 'running', format: 'mp4', stage: 'pictures', progress: 0.42, left: 250, made: madeFilm } }, // another
  unavailable: { film: { state: 'unavailable', reason: 'no-program' } },
  failed: { film: { state: 'failed', reason: 'error', attempts: 3 } },
  damaged: { film: { state: 'failed', reason: 'damaged', attempts: 1 } },
  costly: { film: { state: 'failed', reason: 'too-costly', attempts: 1 } },
  done: { film: { state: 'done', made: madeFilm } },
  sound: { film: { state: 'done', made: { ...madeFilm, type: 'audio/ogg', length: 725, bytes: 8_700_000, captions: false } } },
};

test('every state of a recording that is watched', tag, async () => {
  const server = await Server.start();
  others.push(server);
  await signIn(server);
  const { meetings } = (await (await page.request.get(`${server.url}/api/v1/meetings`)).json()) as { meetings: { id: string }[] };
  const meeting = meetings[0]?.id ?? '';
  const id = 'R'.repeat(22);
  for (const [name, { recording, film }] of Object.entries(films)) {
    await page.unrouteAll();
    await page.route('**/api/v1/recordings?*', (route) => route.fulfill(json({ recordings: [{ meeting, title: 'Coopération consulaire', post: 'post', post_name: 'Dakar', role: 'host', recording: {
      id, state: recording ?? 'stopped', by: 'Anne Bernard', purpose: 'Compte rendu de la coopération consulaire', from: at(-7_200_000),
      ...(recording ? {} : { to: at(-3_600_000), expires_at: at(86 * 86_400_000) }), people: [{ name: 'Anne Bernard', withdrawn: false }, { name: 'Inês Duarte', withdrawn: true }, { name: 'عمر الفاروق', withdrawn: false }],
      declined: [], bytes: 1, sealed: !film, parts: [], downloads: [], shares: [], deleting: false, may: ['compose', 'share'], ...(film ? { film: { since: at(-60_000), layout: 'grid', format: 'webm', ...film } } : {}),
    } }] } satisfies Schemas['FoundRecordings'])));
    await page.route('**/film/chapters', (route) => route.fulfill(json({ chapters: [
      { at: 0, title: 'Début · Arrivée : Anne Bernard' }, { at: 61.2, title: 'Arrivée : Inês Duarte' }, { at: 700, title: 'Écran partagé par Inês Duarte' }, { at: 712.4, title: 'Fin du partage · Arrivée : عمر الفاروق' },
    ] } satisfies Schemas['FilmChapters'])));
    await look(`film-${name}`, async ({ lang }) => {
      await page.goto(`${server.url}/recordings/${meeting}/${id}?lang=${lang}`);
      await expect(page.locator('.film-facts')).toBeVisible();
      await expect(page.locator(film?.state === 'done' ? '.film-chapters li' : '.film-state').first()).toBeVisible();
    });
  }
  // There is none, or none any more.
  await page.unrouteAll();
  await look('film-gone', async ({ lang }) => {
    await page.goto(`${server.url}/recordings/${meeting}/${id}?lang=${lang}`);
    await expect(page.getByRole('main').getByRole('link')).toBeVisible();
  });
});

/** What the program that opens a recording may answer, by name: a share of the way, or why it does not work. */
const openings: Record<string, { verified: boolean; says: { done: number } | string }> = {
  verifying: { verified: false, says: { done: 37 } },
  'too-much-to-verify': { verified: false, says: 'too-much' },
  opening: { verified: true, says: { done: 8 } },
  'too-much': { verified: true, says: 'too-much' },
  'other-key': { verified: true, says: 'not-for-us' },
};

test('every state of the page that opens a recording', tag, async () => {
  await page.addInitScript(answerAsOpener);
  for (const [name, of] of Object.entries(openings)) {
    await look(`opening-${name}`, async ({ lang }) => {
      await page.goto(`${server.url}/recordings/open?lang=${lang}`);
      await page.evaluate((answers) => Object.assign(window, { openerAnswers: answers }), of);
      await page.locator('input[type=file]').first().setInputFiles({ name: 'part-0001.tar', mimeType: 'application/x-tar', buffer: Buffer.from('sealed') });
      await page.getByRole('radio').last().check();
      await page.locator('form button[type=submit]').click();
      if (of.verified) {
        await page.locator('[name=keytext]').fill('AGE-SECRET-KEY-PQ-1');
        await page.locator('form button[type=submit]').click();
      }
      await expect(page.getByRole('main').locator(typeof of.says === 'string' ? '[role=alert]' : 'progress')).toBeVisible();
      // Where another try helps nobody, none is offered.
      if (name === 'too-much') await expect(page.locator('[name=keytext]')).toHaveCount(0);
    });
  }
});

/** Runs in the page before its scripts: the program that verifies and opens answers what the test says. */
function answerAsOpener(): void {
  const report = {
    node: 'aparte-1.ambassade.example', findings: [{ kind: 'altered', part: 1, segment: 12 }], more: 0, unclosed: { part: 2, segment: 120, shutdown: false }, text: ['part 1, segment 12: altered'],
    parts: [1, 2].map((part) => ({ name: `part-000${part}.tar`, part, recording: 'A'.repeat(22), began: '2027-03-02T08:00:00Z', ...(part === 1 ? { ended: '2027-03-02T09:02:00Z' } : {}), segments: 7440, lost: part === 1 ? 12 : 0 })),
  };
  window.Worker = class {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    constructor() {
      this.say({ told: 'ready' });
    }
    say(data: unknown): void {
      setTimeout(() => this.onmessage?.({ data }));
    }
    postMessage({ ask }: { ask: 'verify' | 'open' }): void {
      const { verified, says } = (window as unknown as { openerAnswers: { verified: boolean; says: { done: number } | string } }).openerAnswers;
      if (ask === 'verify' && verified) this.say({ told: 'verified', report });
      else if (typeof says === 'string') this.say({ told: 'failed', failure: { code: says, detail: '', ...(says === 'not-for-us' ? { keys: ['3f9a0c1122334455'] } : {}) } });
      else this.say({ told: 'progress', done: says.done, of: 100 });
    }
    terminate(): void {}
  } as unknown as typeof Worker;
}
