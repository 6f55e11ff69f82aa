// What this machine can do at most in the things that cannot be avoided: checking a signature, signing, and making a batch
// durable. Prints one JSON object. node bench/limits.mjs DIRECTORY SECONDS
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify
} from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { p256 } from '@noble/curves/nist.js'
import Database from 'better-sqlite3'
import { makeSigned, makeSigners } from './entries.mjs'

const ROWS_PER_BATCH = 64
// About the size of a canonical hashedrekord body with an ECDSA P-256 key.
const ROW_BYTES = 640

const [directory, secondsText] = process.argv.slice(2)
const seconds = Number(secondsText)

const signers = makeSigners()
const signed = Array.from({ length: 1024 }, (_, turn) => {
  const { data, signature, pem } = makeSigned(signers, turn)
  const point = createPublicKey(pem).export({ format: 'jwk' })
  return {
    data,
    signature,
    pem,
    digest: createHash('sha256').update(data).digest(),
    publicKey: Buffer.concat([
      Buffer.of(4),
      Buffer.from(point.x, 'base64url'),
      Buffer.from(point.y, 'base64url')
    ])
  }
})

/** Times per second that `work` can be done, one after the other, on one core. */
function rate(work) {
  for (let turn = 0; turn < 32; turn++) work(turn)
  const start = performance.now()
  const deadline = start + seconds * 1000
  let turn = 0
  while (performance.now() < deadline) work(turn++)
  return turn / ((performance.now() - start) / 1000)
}

function nativeVerification(turn) {
  const { data, signature, pem } = signed[turn % signed.length]
  if (!verify('sha256', data, createPublicKey(pem), signature)) throw new Error('must verify')
}

const signer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey

function nativeSignature(turn) {
  sign('sha256', signed[turn % signed.length].data, signer)
}

function nobleVerification(turn) {
  const { digest, signature, publicKey } = signed[turn % signed.length]
  const options = { prehash: false, lowS: false, format: 'der' }
  if (!p256.verify(signature, digest, publicKey, options)) throw new Error('must verify')
}

function durableBatches() {
  const folder = mkdtempSync(join(directory, 'sigstead-bench-limit-'))
  const database = new Database(join(folder, 'limit.db'))
  try {
    if (database.pragma('journal_mode = WAL', { simple: true }) !== 'wal') throw new Error('no WAL')
    database.pragma('synchronous = FULL')
    if (database.pragma('synchronous', { simple: true }) !== 2) throw new Error('not FULL')
    database.exec(
      'create table leaf (leaf_index integer primary key, leaf_hash blob not null unique, leaf_value blob not null) strict'
    )
    const insert = database.prepare('insert into leaf (leaf_hash, leaf_value) values (?, ?)')
    const batch = database.transaction((rows) => {
      for (const [hash, value] of rows) insert.run(hash, value)
    })
    return rate(() => {
      const rows = Array.from({ length: ROWS_PER_BATCH }, () => [
        randomBytes(32),
        randomBytes(ROW_BYTES)
      ])
      batch.immediate(rows)
    })
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

process.stdout.write(
  JSON.stringify({
    nativeVerificationsPerSecond: rate(nativeVerification),
    nativeSignaturesPerSecond: rate(nativeSignature),
    nobleVerificationsPerSecond: rate(nobleVerification),
    durableBatchesPerSecond: durableBatches(),
    rowsPerBatch: ROWS_PER_BATCH
  })
)
