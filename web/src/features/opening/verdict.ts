import type { Report } from './messages'

/** What verifying found, in one sentence. */
export interface Verdict { tone: 'ok' | 'warn' | 'danger'; id: string; n: number; /** That which is there alone. */ part: number }

export function verdictOf(report: Report): Verdict {
  const n = report.findings.length + report.more
  const part = report.parts.at(0)?.part ?? 0
  if (report.stranger) return { tone: 'danger', id: 'opening.stranger', n, part }
  if (n > 0) return { tone: 'danger', id: 'opening.altered', n, part }
  // One part may be opened by itself; whole it is not.
  if (report.parts.length === 1 && part > 1) return { tone: 'warn', id: 'opening.whole.lone', n, part }
  if (report.unclosed) return { tone: 'warn', id: 'opening.whole.sofar', n, part }
  return { tone: report.node === '' ? 'warn' : 'ok', id: 'opening.whole', n, part }
}
