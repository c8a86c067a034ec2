import { expect, test } from 'vitest'
import { folded, withAddress } from './calendarFile'

const file = ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:m@x', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n')
const size = (line: string) => new TextEncoder().encode(line).length

test('the address is within the event, whole once unfolded', () => {
  const address = `https://meet.example.org/i/${'A'.repeat(22)}#${'b'.repeat(43)}`
  const made = withAddress(file, address)
  expect(made.split('\r\n').every((line) => size(line) <= 75)).toBe(true)
  const lines = made.replaceAll('\r\n ', '').split('\r\n')
  expect(lines).toEqual(['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'UID:m@x', `LOCATION:${address}`, `URL:${address}`, 'END:VEVENT', 'END:VCALENDAR', ''])
})

test('a line is cut between signs and never within one', () => {
  const lines = folded(`X:${'é🕊'.repeat(40)}`).split('\r\n')
  expect(lines.length).toBeGreaterThan(2)
  expect(lines.every((line) => size(line) <= 75)).toBe(true)
  expect(lines.map((line, i) => (i > 0 ? line.slice(1) : line)).join('')).toBe(`X:${'é🕊'.repeat(40)}`)
})

test('a file without an event is refused', () => {
  expect(() => withAddress('<html>', 'https://x')).toThrow()
})
