import { encodeHex } from '../encoding/hex.js'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { KEY_FORMATS, type SearchQuery } from '../client/rekor-client.js'
import { type Command, type CommandCall, EXIT, UsageError } from './command.js'
import { REMOTE_CONFIG, REMOTE_FLAGS, connectRemote, readInputFile } from './remote.js'

export const entrySearchCommand: Command = {
  description:
    'Prints the IDs of the entries found, oldest first as the server has them. What a search gives is not proved:\n' +
    'sigstead entry get checks each entry, but nothing shows that none was left out.',
  flags: [
    ...REMOTE_FLAGS.filter(({ name }) => name !== 'log-key'),
    { name: 'hash', value: 'HEX', meaning: 'Digest of an artifact: [sha256:|sha1:|sha512:]HEX.' },
    { name: 'artifact', value: 'FILE', meaning: 'An artifact; its SHA-256 is looked for.' },
    { name: 'email', value: 'ADDRESS', meaning: 'E-mail address in a certificate or PGP key.' },
    {
      name: 'public-key',
      value: 'FILE',
      meaning: 'Public key, certificate or TUF root; see --format.'
    },
    { name: 'format', value: KEY_FORMATS.join('|'), meaning: 'Of the public key. Default: x509.' },
    { name: 'operator', value: 'and|or', meaning: 'How several are joined. Default: or.' }
  ],
  config: REMOTE_CONFIG,
  run: async (call) => {
    const query = await readQuery(call)
    // Nothing here is signed, so there is no key to speak of.
    const { client } = connectRemote({ ...call, note: () => undefined })
    const ids = await client.search(query)
    if (ids.length === 0) call.note('no entries found')
    call.print(ids.map((id) => `${id}\n`).join(''), { entries: ids })
    return EXIT.ok
  }
}

async function readQuery({ flags }: CommandCall): Promise<SearchQuery> {
  const { email, artifact, operator, hash } = Object.fromEntries(flags)
  const keyFile = flags.get('public-key')
  const format = KEY_FORMATS.find((name) => name === (flags.get('format') ?? 'x509'))
  if (format === undefined) {
    throw new UsageError(`--format must be one of ${KEY_FORMATS.join(', ')}`)
  }
  if (hash !== undefined && artifact !== undefined) {
    throw new UsageError('--hash and --artifact exclude each other')
  }
  if (operator !== undefined && operator !== 'and' && operator !== 'or') {
    throw new UsageError(`--operator must be and or or (got ${operator})`)
  }
  const digest = artifact === undefined ? hash : `sha256:${await digestFile(artifact)}`
  if (email === undefined && digest === undefined && keyFile === undefined) {
    throw new UsageError('nothing to search for: give --hash, --artifact, --email or --public-key')
  }
  return {
    ...(email === undefined ? {} : { email }),
    ...(digest === undefined ? {} : { hash: digest }),
    ...(keyFile === undefined
      ? {}
      : { publicKey: { format, content: readInputFile(keyFile, '--public-key') } }),
    ...(operator === undefined ? {} : { operator })
  }
}

/** Streams, because artifacts may be larger than memory. */
async function digestFile(fileName: string): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(fileName)) hash.update(chunk as Uint8Array) // no encoding set
  } catch (err) {
    const { code } = err as NodeJS.ErrnoException
    throw new UsageError(`--artifact: cannot read ${fileName}: ${code}`, {
      cause: err
    })
  }
  return encodeHex(hash.digest())
}
