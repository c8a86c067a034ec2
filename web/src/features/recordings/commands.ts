// How a recording is opened once it was taken away: by whoever has the archive's key, on any machine.

/** The commands, a line each; ids and names of files need no quotes. An id may begin with a hyphen, which no command takes for a folder. */
export function commands(id: string): string {
  const folder = `recording-${id}`
  return [
    `mkdir ${folder}`,
    `mv recording-*-${id}-part-*.tar ${folder}`,
    `aparte record verify ${folder} --node-key node-key.json`,
    `aparte record open ${folder} -i archive.key -o ${folder}-open --node-key node-key.json`,
    `aparte record export ${folder}-open -o ${folder}-media`,
  ].join('\n')
}
