// How a recording is opened once it was taken away: by whoever has the archive's key, on any machine.
import type { KeptRecording } from '@/api'

/** The commands, a line each; ids and names of files need no quotes. */
export function commands({ id, parts }: Pick<KeptRecording, 'id' | 'parts'>): string {
  return [
    `mkdir ${id}`,
    ...parts.map(({ name, number }) => `mv ${name} ${id}/part-${String(number).padStart(4, '0')}.tar`),
    `aparte record verify ${id} --node-key node-key.json`,
    `aparte record open ${id} -i archive.key -o ${id}-open --node-key node-key.json`,
    `aparte record export ${id}-open -o ${id}-media`,
  ].join('\n')
}
