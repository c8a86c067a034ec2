// A guest's calendar file: the server writes the event, and this browser, which alone has the secret, the address in it. The
// PIN never is.

const octets = new TextEncoder()

/** Lines of at most 75 octets; those that follow begin with a space (RFC 5545, section 3.1). */
export function folded(line: string): string {
  const lines: string[] = []
  let current = ''
  let length = 0
  for (const sign of line) {
    const size = octets.encode(sign).length
    if (length + size > 75) {
      lines.push(current)
      current = ' '
      length = 1
    }
    current += sign
    length += size
  }
  return [...lines, current].join('\r\n')
}

/** The event with an address, which calendars show as its place. */
export function withAddress(file: string, address: string): string {
  const end = file.lastIndexOf('END:VEVENT')
  if (end < 0) throw new Error('no event in the calendar file')
  return `${file.slice(0, end)}${folded(`LOCATION:${address.replace(/[\\;,]/g, '\\$&')}`)}\r\n${folded(`URL:${address}`)}\r\n${file.slice(end)}`
}
