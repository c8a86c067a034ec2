import type { Report } from './messages'

/** What verifying found, in one sentence. */
export interface Verdict { tone: 'ok' | 'warn' | 'danger'; id: string; n: number }

export function verdictOf(report: Report): Verdict {
  const n = report.findings.length + report.more
  if (n > 0) return { tone: 'danger', id: 'opening.altered', n }
  if (report.unclosed) return { tone: 'warn', id: 'opening.whole.sofar', n }
  return { tone: report.node === '' ? 'warn' : 'ok', id: 'opening.whole', n }
}
