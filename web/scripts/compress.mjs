// Writes the compressed twins that the server sends, of everything below a folder.
import fs from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import zlib from 'node:zlib'

const brotli = promisify(zlib.brotliCompress)
const gzip = promisify(zlib.gzip)
// Beyond this many bytes the last tenth of Brotli's gain costs ten times the time.
const large = 2_000_000

export async function compress(folder) {
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(js|css|html|svg|json|wasm)$/.test(entry.name)) continue
    const file = path.join(entry.parentPath, entry.name)
    const body = fs.readFileSync(file)
    if (body.length < 1024) continue
    fs.writeFileSync(`${file}.br`, await brotli(body, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: body.length > large ? 9 : 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: body.length } }))
    fs.writeFileSync(`${file}.gz`, await gzip(body, { level: 9 }))
  }
}

// By itself: node compress.mjs FOLDER
if (process.argv[2] && import.meta.filename === path.resolve(process.argv[1] ?? '')) await compress(process.argv[2])
