/** Has the browser keep some content as a file, and show it nowhere. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has it once the press is dealt with; some begin a moment later.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
