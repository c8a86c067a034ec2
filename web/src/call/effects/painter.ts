// Puts a picture together: the person as the camera sees them, the rest blurred.
import type { Strength } from '../preferences'

// The background is halved until it is no wider than this, then doubled again, each time softened by the browser's own
// scaling. What is left of a page of writing or a face on a photograph at this size cannot be read out of it.
const widths: Record<Strength, number> = { light: 64, strong: 32 }

export class Painter {
  readonly canvas = document.createElement('canvas')
  private readonly context = contextOf(this.canvas)
  private steps: CanvasRenderingContext2D[] = []

  /** mask: opaque where the person is; without one all is blurred. */
  paint(picture: CanvasImageSource, size: { width: number; height: number }, strength: Strength, mask: CanvasImageSource | null): void {
    const { canvas, context } = this
    const { width, height } = size
    if (canvas.width !== width || canvas.height !== height) this.resize(width, height)
    const blurred = this.blur(picture, strength)
    context.globalCompositeOperation = 'copy'
    if (!mask) return context.drawImage(blurred, 0, 0, width, height)
    context.drawImage(mask, 0, 0, width, height)
    context.globalCompositeOperation = 'source-in'
    context.drawImage(picture, 0, 0, width, height)
    context.globalCompositeOperation = 'destination-over'
    context.drawImage(blurred, 0, 0, width, height)
  }

  private blur(picture: CanvasImageSource, strength: Strength): CanvasImageSource {
    const { steps } = this
    let last = 0
    let from: CanvasImageSource = picture
    for (const [i, step] of steps.entries()) {
      copy(from, step)
      from = step.canvas
      last = i
      if (step.canvas.width <= widths[strength]) break
    }
    for (let i = last - 1; i >= 0; i--) {
      const [small, large] = [steps[i + 1], steps[i]]
      if (small && large) copy(small.canvas, large)
    }
    return steps[0]?.canvas ?? picture
  }

  private resize(width: number, height: number): void {
    this.canvas.width = width
    this.canvas.height = height
    this.steps = []
    // A quarter of the size is enough to blow up again.
    for (let [w, h] = [width / 4, height / 4]; ; [w, h] = [w / 2, h / 2]) {
      const canvas = document.createElement('canvas')
      canvas.width = Math.max(1, Math.round(w))
      canvas.height = Math.max(1, Math.round(h))
      this.steps.push(contextOf(canvas))
      if (w <= widths.strong) break
    }
  }
}

function copy(from: CanvasImageSource, to: CanvasRenderingContext2D): void {
  to.drawImage(from, 0, 0, to.canvas.width, to.canvas.height)
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d')
  if (!context) throw new Error('no canvas to paint a picture on')
  context.imageSmoothingQuality = 'medium'
  return context
}
