// The live channel of a guest. Those of agents are in agentChannels.ts, which guests do not load.
import { browserNetwork, LiveSocket, openSocket, type SocketState } from './socket'
import type { Readable } from './store'
import type { GuestMessage, GuestView } from './types'

/** The guest's channel: the first frame proves the session, every state comes whole. */
export class GuestChannel {
  private readonly socket: LiveSocket
  readonly connection: Readable<SocketState>

  constructor(session: string, onView: (view: GuestView) => void, open = () => openSocket('/guest/lobby'), network = browserNetwork) {
    this.socket = new LiveSocket({
      open,
      network,
      greet: (send) => send({ session }),
      onMessage: (message) => {
        const { type, guest } = message as Partial<GuestMessage>
        if (type === 'state' && guest) onView(guest)
      },
    })
    this.connection = this.socket.state
  }

  start = (): void => this.socket.start()
  retryNow = (): void => this.socket.retryNow()
  close = (): void => this.socket.close()
}
