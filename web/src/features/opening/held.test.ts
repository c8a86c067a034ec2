import { describe, expect, it } from 'vitest'
import { Held, Room } from './held'
import { clocked, mostInMemory, namedBy } from './source'

describe('a file in memory', () => {
  it('is what was written, where it was written', async () => {
    const held = new Held(new Room(10_000_000))
    const whole = Uint8Array.from({ length: 2_500_000 }, (_, i) => i % 251)
    for (let at = 0; at < whole.length; at += 700_001) held.write(whole.subarray(at, at + 700_001), at)
    const patch = new Uint8Array(9).fill(255)
    for (const at of [0, (1 << 20) - 4, 2_499_991]) {
      held.write(patch, at)
      whole.set(patch, at)
    }
    const media = held.finish('video/webm')
    expect(media.type).toBe('video/webm')
    expect(Buffer.compare(Buffer.from(await media.arrayBuffer()), Buffer.from(whole))).toBe(0)
  })
  it('shares its room with the others', () => {
    const room = new Room(1_000)
    new Held(room).write(new Uint8Array(900), 0)
    const second = new Held(room)
    second.write(new Uint8Array(100), 0)
    second.write(new Uint8Array(50), 20)
    expect(() => second.write(new Uint8Array(1), 100)).toThrow(DOMException)
  })
})

describe('what is opened', () => {
  it('is named by its ids', () => {
    expect(namedBy('?meeting=m1&recording=r1')).toEqual({ meeting: 'm1', recording: 'r1' })
    expect(namedBy('?meeting=m1')).toBeNull()
  })
  it('takes a share of the machine’s memory', () => {
    expect([undefined, 0.5, 8, 32].map(mostInMemory)).toEqual([600_000_000, 75_000_000, 1_200_000_000, 1_200_000_000])
  })
  it('has its times as players show them', () => {
    expect([-1, 0, 65.9, 3_723].map(clocked)).toEqual(['0:00', '0:00', '1:05', '1:02:03'])
  })
})
