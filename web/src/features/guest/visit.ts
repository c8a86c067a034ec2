// A guest's visit, from the opened link to the last page. One union, one screen each; the server's status decides.
//
//	starting ─▶ guest{entry → waiting → admitted → …}     every change comes from the server
//	    └────▶ refused{problem}                            unknown, early, expired, full, in use, …
import type { Over } from '@/call/live'
import {
  findKey, guest as api, isProblem, loadGuestChannel, loadProofs, pinKey, Problem, redemptionCode, Store,
  type GuestChannel, type GuestView, type KeptKey, type Knocking, type MediaGrant, type Readable, type SocketState,
} from '@/api'
import { patiently, untilThere } from '@/ui'

export type Visit =
  | { at: 'starting' }
  | { at: 'refused'; problem: Problem }
  /** ended: how this guest's call ended on this device, when the server's status does not say it. */
  | { at: 'guest'; view: GuestView; ended: Over | null }

/** What the tab remembers of a visit through one link. */
export interface Keep {
  secret(): string | null
  session(): string | null
  /** What proves the link's PIN together with it. */
  pinKey(): string | null
  left(): boolean
  redeemed(session: string, pinKey: string): void
  setLeft(left: boolean): void
  forget(): void
}

const offline: SocketState = { is: 'connecting' }

type Connect = (session: string, onView: (view: GuestView) => void) => Promise<GuestChannel>
// Nobody needs it before having knocked: it is not part of what the first page waits for.
const connectWhenThere: Connect = async (session, onView) => new (await untilThere(loadGuestChannel))(session, onView)

// Needed to knock and to come back, not to read the first page. Without the server there is neither.
const proofs = () => patiently(loadProofs).catch(() => { throw new Problem('offline', 0, 'a part of the page did not arrive') })

export interface Keys {
  /** The key of a link, if this browser has knocked by it before. */
  find(linkID: string): Promise<KeptKey | null>
  /** The key of a link, made now if there is none; null where it would not outlive the tab. */
  findOrMake(linkID: string): Promise<KeptKey | null>
}
const keysOfBrowser: Keys = { find: (linkID) => findKey(linkID), findOrMake: async (linkID) => new (await proofs()).BrowserKeys().findOrMake(linkID) }

export class GuestVisit {
  private readonly current = new Store<Visit>({ at: 'starting' })
  readonly state: Readable<Visit> = this.current
  private readonly line = new Store<SocketState>(offline)
  /** The state of the live channel, told truthfully in the lobby. */
  readonly connection: Readable<SocketState> = this.line
  private channel: GuestChannel | null = null
  /** Taken away from a channel that is not wanted any more before it has come. */
  private listening: symbol | null = null
  session: string | null

  constructor(
    private readonly linkID: string,
    private readonly keep: Keep,
    private readonly keys: Keys = keysOfBrowser,
    private readonly connect: Connect = connectWhenThere,
  ) {
    this.session = keep.session()
  }

  /** Redeems the link, or takes the visit up again after a reload. */
  start = async (): Promise<void> => {
    this.current.set({ at: 'starting' })
    try {
      if (this.keep.secret() !== null) await this.redeem()
      else if (this.session !== null) this.learn(await api.view(this.session))
      else throw new Problem('link-unknown', 404, 'the link has no secret')
    } catch (error) {
      if (isProblem(error, 'unauthenticated')) this.forget()
      this.refuse(error)
    }
  }

  /**
   * Knocks, with a proof of this browser's key where it keeps one. Throws the Problem when a field is at fault, so that the
   * form can show it. pin: its six digits, or nothing.
   */
  knock = async (name: string, organisation: string, pin = ''): Promise<void> => {
    const key = pin ? this.keep.pinKey() : null
    const body: Knocking = { name, ...(organisation ? { organisation } : {}), ...(key ? { pin: await (await proofs()).pinProof(key, pin) } : {}) }
    await this.act(async (session) => {
      const browser = await this.keys.findOrMake(this.linkID)
      return browser ? this.knockAs(browser, session, body) : api.knock(session, body)
    })
  }

  /** The six digits of a PIN as it was typed, or null. */
  readPIN = async (typed: string): Promise<string | null> => (await proofs()).readPIN(typed)

  withdraw = async (): Promise<void> => {
    await this.act((session) => api.withdraw(session))
  }

  /** Answers the hosts. Throws the Problem, so that what was typed stays. */
  reply = async (text: string): Promise<void> => {
    if (this.session === null) return
    const view = await api.reply(this.session, text)
    // An open channel tells it too, in order with what hosts write meanwhile.
    if (this.line.get().is !== 'open') this.learn(view)
  }

  /** Asks for a media token; the server gives one only after admission. */
  grant = async (): Promise<MediaGrant> => {
    if (this.session === null) throw new Problem('unauthenticated', 401, '')
    return api.mediaToken(this.session)
  }

  /** The call on this device is over. */
  callOver = async (how: Over): Promise<void> => {
    const now = this.current.get()
    if (now.at !== 'guest') return
    if (how === 'left') this.keep.setLeft(true)
    if (how !== 'removed') this.current.set({ ...now, ended: how })
    if (how === 'left' || this.session === null) return
    try {
      this.learn(await api.view(this.session))
    } catch (error) {
      if (isProblem(error, 'unauthenticated')) return this.refuse(error)
    }
    // Whoever is removed from the call may have been sent back to the lobby: only the server's status says which.
    const known = this.current.get()
    if (how === 'removed' && known.at === 'guest' && known.view.status === 'admitted') this.current.set({ ...known, ended: how })
  }

  /** Back into the meeting, while the admission lives. */
  comeBack = (): void => {
    const now = this.current.get()
    this.keep.setLeft(false)
    if (now.at === 'guest') this.current.set({ ...now, ended: null })
  }

  retryConnection = (): void => this.channel?.retryNow()

  dispose = (): void => {
    this.listening = null
    this.channel?.close()
    this.channel = null
  }

  private async redeem(): Promise<void> {
    const code = await redemptionCode(this.keep.secret() ?? '')
    // A damaged secret and an unknown link get the same page: neither teaches anything.
    if (code === null) throw new Problem('link-unknown', 404, 'malformed secret')
    const secretOfPIN = (await pinKey(this.keep.secret() ?? '')) ?? ''
    try {
      const { session, guest } = await this.open(code)
      this.session = session
      this.keep.redeemed(session, secretOfPIN)
      this.keep.setLeft(false)
      this.learn(guest)
    } catch (error) {
      // The same link opened again in the tab that is already inside: the session of before is still good.
      if (this.session === null || !isProblem(error, 'link-in-use', 'link-full', 'denied', 'banned')) throw error
      const before = await api.view(this.session)
      if (before.status === 'revoked') throw error // it was by an older secret of this link
      this.learn(before)
    }
  }

  /** Redeems; a browser that has knocked by this link before proves it, and gets back to where it was. */
  private async open(code: string): Promise<{ session: string; guest: GuestView }> {
    const browser = await this.keys.find(this.linkID)
    if (!browser) return api.redeem(this.linkID, code)
    const { prove, returnStatement } = await proofs()
    for (let tries = 2; tries > 0; tries--) {
      const challenge = await api.challenge(this.linkID, code)
      try {
        return await api.redeem(this.linkID, code, { challenge, ...(await prove(browser, returnStatement(this.linkID, challenge))) })
      } catch (error) {
        if (!isProblem(error, 'proof-invalid')) throw error // the server may have restarted since the challenge
      }
    }
    return api.redeem(this.linkID, code)
  }

  private async knockAs(browser: KeptKey, session: string, body: Knocking): Promise<GuestView> {
    const { prove, knockStatement } = await proofs()
    for (let fresh = false; ; fresh = true) {
      const now = this.current.get()
      const { binding } = now.at === 'guest' && !fresh ? now.view : await api.view(session)
      const proof = await prove(browser, knockStatement(this.linkID, binding.session, binding.challenge))
      try {
        return await api.knock(session, { ...body, proof })
      } catch (error) {
        // Another tab may have made this one its own meanwhile: what the server says now counts.
        if (fresh || !isProblem(error, 'proof-invalid')) throw error
      }
    }
  }

  private async act(call: (session: string) => Promise<GuestView>): Promise<void> {
    if (this.session === null) return
    try {
      const view = await call(this.session)
      // The live channel may have told the same and more before this answer arrived.
      if (!this.knows(view)) this.learn(view)
    } catch (error) {
      if (isProblem(error, 'invalid', 'offline', 'internal', 'too-many', 'unavailable', 'pin-required', 'pin-wrong')) throw error
      this.refuse(error)
    }
  }

  private knows(view: GuestView): boolean {
    const now = this.current.get()
    return now.at === 'guest' && this.line.get().is === 'open' && now.view.status === view.status && now.view.knock?.since === view.knock?.since
  }

  private learn(view: GuestView): void {
    const now = this.current.get()
    let ended = now.at === 'guest' ? now.ended : this.keep.left() ? ('left' as const) : null
    // Another status than admitted says more than how the call ended here.
    // Of a permanent meeting the sitting is over: one may ask again, and should read why one is no longer in.
    if (view.status === 'entry' && now.at === 'guest' && now.view.status === 'admitted') ended = 'ended'
    if (view.status !== 'admitted' && !(view.status === 'entry' && ended === 'ended')) ended = null
    this.current.set({ at: 'guest', view, ended })
    if (view.status !== 'entry') void this.listen()
  }

  private async listen(): Promise<void> {
    if (this.listening || this.session === null) return
    const listening = (this.listening = Symbol())
    const channel = await this.connect(this.session, (view) => this.learn(view))
    if (this.listening !== listening) return
    this.channel = channel
    const { connection } = channel
    const pass = () => {
      this.line.set(connection.get())
      if (connection.get().is === 'refused') void this.lost()
    }
    pass()
    connection.subscribe(pass)
    channel.start()
  }

  /** The channel will not have this session any more: the API says why. */
  private async lost(): Promise<void> {
    if (this.session === null) return
    try {
      this.learn(await api.view(this.session))
    } catch (error) {
      this.refuse(error)
    }
  }

  private forget(): void {
    this.session = null
    this.keep.forget()
  }

  private refuse(error: unknown): void {
    this.dispose()
    this.current.set({ at: 'refused', problem: error instanceof Problem ? error : new Problem('internal', 0, String(error)) })
  }
}
