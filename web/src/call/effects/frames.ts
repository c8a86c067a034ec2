// A camera's track in, a track of worked frames out. Two ways: streams of frames where the browser has them on the page's
// own thread, else a hidden <video> and the canvas's own track.
import { hasFrameStreams } from './able'

export interface Size { width: number; height: number }

/** Works on a frame at once, onto the canvas; false: this one is left out. */
export type Work = (picture: CanvasImageSource, size: Size) => boolean

/** A track that shows what was made of another. It does not stop the other. */
export interface Worked {
  readonly track: MediaStreamTrack
  stop: () => void
}

/** failed is told if a frame could not be worked on and no other will be. */
export function workOn(source: MediaStreamTrack, canvas: HTMLCanvasElement, work: Work, failed: () => void): Worked {
  return hasFrameStreams() ? byStreams(source, canvas, work, failed) : byCanvas(source, canvas, work, failed)
}

// MediaStreamTrack Insertable Media Processing using Streams, as Chromium has it on the page's thread; TypeScript does not know it.
interface FrameStreams {
  MediaStreamTrackProcessor: new (options: { track: MediaStreamTrack; maxBufferSize: number }) => { readable: ReadableStream<VideoFrame> }
  MediaStreamTrackGenerator: new (options: { kind: 'video' }) => MediaStreamTrack & { writable: WritableStream<VideoFrame> }
}

function byStreams(source: MediaStreamTrack, canvas: HTMLCanvasElement, work: Work, failed: () => void): Worked {
  const { MediaStreamTrackProcessor, MediaStreamTrackGenerator } = globalThis as unknown as FrameStreams
  // One frame waits at most: who is slow shows what is now, not what was.
  const reader = new MediaStreamTrackProcessor({ track: source, maxBufferSize: 1 }).readable.getReader()
  const track = new MediaStreamTrackGenerator({ kind: 'video' })
  const writer = track.writable.getWriter()
  let stopped = false
  const run = async () => {
    for (;;) {
      const { value: frame, done } = await reader.read()
      if (done) return
      try {
        if (!work(frame, { width: frame.displayWidth, height: frame.displayHeight })) continue
        await writer.write(new VideoFrame(canvas, { timestamp: frame.timestamp }))
      } finally {
        frame.close()
      }
      await otherTasks()
    }
  }
  void run().catch(() => {
    // Also where an end is closed: by stop, or by the track's own end.
    if (!stopped && source.readyState === 'live' && track.readyState === 'live') failed()
  })
  return {
    track,
    stop: () => {
      stopped = true
      void reader.cancel().catch(() => undefined)
      void writer.abort().catch(() => undefined)
      track.stop()
    },
  }
}

/** Lets the page draw and answer between two frames, also where the next one waits already. Timers would sleep in a hidden page. */
function otherTasks(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

// Frames a second where nothing tells that there is a new one.
const rate = 24

function byCanvas(source: MediaStreamTrack, canvas: HTMLCanvasElement, work: Work, failed: () => void): Worked {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = new MediaStream([source])
  void video.play().catch(() => undefined)
  const [track] = canvas.captureStream().getVideoTracks()
  if (!track) throw new Error('the canvas has no track')
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked: number | undefined
  const frame = () => {
    clearTimeout(timer)
    if (asked !== undefined) video.cancelVideoFrameCallback(asked)
    try {
      if (video.videoWidth > 0) work(video, { width: video.videoWidth, height: video.videoHeight })
    } catch {
      document.removeEventListener('visibilitychange', frame)
      return failed()
    }
    // A hidden page is told of no frames.
    if ('requestVideoFrameCallback' in video && !document.hidden) asked = video.requestVideoFrameCallback(frame)
    else timer = setTimeout(frame, 1000 / rate)
  }
  document.addEventListener('visibilitychange', frame)
  frame()
  return {
    track,
    stop: () => {
      document.removeEventListener('visibilitychange', frame)
      clearTimeout(timer)
      if (asked !== undefined) video.cancelVideoFrameCallback(asked)
      video.srcObject = null
      track.stop()
    },
  }
}
