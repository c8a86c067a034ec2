// The worker in which a recording is opened. It runs recorder/opening, compiled to WebAssembly (cmd/aparte-opener): the very
// code of the commands. The private key is read here, and is nowhere else: not on the page, in no storage, in no request. It
// asks for two files of our server when it begins, and for nothing afterwards.
import { Held, Room } from './held'
import type { Ask, Failure, Made, Opened, Report, Told } from './messages'

interface File { write: (bytes: Uint8Array<ArrayBuffer>, at: number) => unknown; close: () => unknown }
type Progress = (done: number, of: number) => void

/** What cmd/aparte-opener offers. */
interface Opener {
  load: (parts: { name: string; size: number; read: (from: number, to: number) => Promise<Uint8Array> }[], nodeKey: string) => Promise<string>
  verify: (progress: Progress) => Promise<string>
  open: (keys: string, damaged: boolean, create: (name: string) => File | Promise<File>, progress: Progress) => Promise<string>
}
interface Answer { error?: Failure; report?: Report; opened?: Opened }
declare const globalThis: { Go: new () => { importObject: WebAssembly.Imports; run: (instance: WebAssembly.Instance) => Promise<void> }; opener: Opener }

const tell = (told: Told) => (self as unknown as { postMessage: (told: Told) => void }).postMessage(told)
const progress: Progress = (done, of) => tell({ told: 'progress', done, of })

async function start(): Promise<Opener> {
  // The compiler's own script, made with the program and served beside it.
  const script = '/opener/wasm_exec.js'
  await import(/* @vite-ignore */ script)
  const go = new globalThis.Go()
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/opener/opener.wasm'), go.importObject)
  void go.run(instance) // until the worker is ended
  return globalThis.opener
}

class Failed extends Error {
  constructor(readonly failure: Failure) {
    super(failure.detail)
  }
}

function answered(text: string): Answer {
  const answer = JSON.parse(text) as Answer
  if (answer.error) throw new Failed(answer.error)
  return answer
}

const typeOf = (name: string) => (name.endsWith('.webm') ? 'video/webm' : name.endsWith('.mkv') ? 'video/x-matroska' : 'application/json')

/** Media files in memory. */
function inMemory(most: number, made: Made[]): (name: string) => File {
  const room = new Room(most)
  return (name) => {
    const held = new Held(room)
    return { write: (bytes, at) => held.write(bytes, at), close: () => void made.push({ name, media: held.finish(typeOf(name)) }) }
  }
}

/** Media files in a folder of the reader's own disk: nothing of them stays in memory. What is there already is left alone. */
async function onDisk(folder: FileSystemDirectoryHandle): Promise<(name: string) => Promise<File>> {
  for await (const name of (folder as unknown as { keys: () => AsyncIterable<string> }).keys()) throw new Failed({ code: 'there', detail: name })
  return async (name) => {
    const file = await (await folder.getFileHandle(name, { create: true })).createWritable()
    return { write: (data, position) => file.write({ type: 'write', data, position }), close: () => file.close() }
  }
}

async function act(opener: Opener, ask: Ask): Promise<Told> {
  if (ask.ask === 'verify') {
    const parts = ask.parts.map(({ name, file }) => ({ name, size: file.size, read: async (from: number, to: number) => new Uint8Array(await file.slice(from, to).arrayBuffer()) }))
    answered(await opener.load(parts, ask.nodeKey))
    const { report } = answered(await opener.verify(progress))
    if (!report) throw new Error('no report')
    return { told: 'verified', report }
  }
  const files: Made[] = []
  const create = ask.into ? await onDisk(ask.into) : inMemory(ask.most, files)
  const { opened } = answered(await opener.open(await ask.keys.text(), ask.damaged, create, progress))
  if (!opened) throw new Error('nothing opened')
  return { told: 'opened', opened, files }
}

const failed = (why: unknown): Told => ({ told: 'failed', failure: why instanceof Failed ? why.failure : { code: 'failed', detail: why instanceof Error ? why.message : String(why) } })

const ready = start()
ready.then(() => tell({ told: 'ready' }), (why: unknown) => tell(failed(why)))
addEventListener('message', ({ data }: MessageEvent<Ask>) => void ready.then((opener) => act(opener, data)).then(tell, (why: unknown) => tell(failed(why))))
