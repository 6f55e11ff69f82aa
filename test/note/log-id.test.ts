import t from 'tap'
import { decodeBase64, encodeBase64 } from '../../src/encoding/base64.js'
import { encodeHex } from '../../src/encoding/hex.js'
import { parsePublicKey } from '../../src/keys/public-key.js'
import { keyIdOf } from '../../src/note/key-id.js'
import { logIdOfKey } from '../../src/note/log-id.js'
import { refusalText } from '../helpers/refusals.js'
import { logVectors, ownVectors } from '../helpers/rekor-v2-vectors.js'

const keyOf = (base64: string) => parsePublicKey(decodeBase64(base64))

// Public halves of the keys in sigstore/rekor-tiles pkg/note/note_test.go, with the log IDs given there.
const UPSTREAM = [
  [
    'MCowBQYDK2VwAyEAREvJyNZGjX6B3DAIuD3BTg9rIwV00GY8Xg5FU+IFDUQ=',
    'e4de82e34c8c270d87612a3d6a1e297e2cd0ed9cb89ea7aeec8ce4d0b54e6775'
  ],
  [
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeLw7gX40qy1z7JUhGMAaaDITbV7p2D+C5G9xPEsy/PVAo9H0mgS4NYzpGirkXxBht+IvvL19WR1X9ANXha5ldQ==',
    '8f92d720f56c219e34895a76a636a3353ddbf7813f9fa317e19982eafa945328'
  ],
  [
    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs7ieTaJ8PAkzCks++ubDNW4Nc4hi7+/JUmSvqq6pIWAfjGrVXI/Z6ROUOnNgvjkW6pOP/KkO1YQfuLtP86X5LD43aIsfH/3VQ0L8X4W64x/JgmA9TWQa+w4OeXaFdGw+lEnGy2rlAL3kIYn/BAbmoAZhyWXQFkPYg6vlypN0H6qQH8hct0SXn7y6casIk7GB7TQt/+OqkkQ55ojM91cXUq6YYsvAjBjQwEvGGXqLvwOhtbD+eMc2fpw7GlAgiiQpq4khzWrtuZJ0Hd/BFZNpHH+UAddQ4Jvv7dbXDinavVzEbvJssQAN9nB39UPHpUQn9mojAuh/qg+vDNyEH3liIQIDAQAB',
    'adf42d0b4478f2d07e5c8c3e63640a7e41b440c19dc47010c3a4936af75d85b6'
  ]
] as const

t.test('keys of every type, as Rekor v2 itself hashes them', (t) => {
  for (const [spki, logId] of UPSTREAM) {
    t.equal(encodeHex(logIdOfKey('testkey', keyOf(spki))), logId)
  }
  t.end()
})

t.test('logs that are in use', (t) => {
  t.equal(logVectors().length, 3)
  for (const { baseUrl, publicKey, logId } of logVectors()) {
    t.equal(encodeBase64(logIdOfKey(new URL(baseUrl).host, keyOf(publicKey))), logId, baseUrl)
  }
  t.end()
})

t.test('the name is in it, except for ECDSA, where it is the log ID of Rekor v1', (t) => {
  const { log } = ownVectors()
  const ed25519 = keyOf(log.publicKey)
  t.equal(encodeHex(logIdOfKey(log.name, ed25519)), log.logId)
  t.not(encodeHex(logIdOfKey('other.example', ed25519)), log.logId)
  t.equal(
    encodeHex(keyIdOf(ed25519.spki)),
    'a050837d',
    'what a hash of the key alone begins with is not it'
  )
  const ecdsa = keyOf(UPSTREAM[1][0])
  t.same(logIdOfKey('a', ecdsa), logIdOfKey('b', ecdsa))
  t.same(logIdOfKey('a', ecdsa).slice(0, 4), keyIdOf(ecdsa.spki))
  t.end()
})

t.test('names no key can have', async (t) => {
  const key = keyOf(ownVectors().log.publicKey)
  for (const name of ['', 'a b', 'a+b', 'a\n', 'rekor.example - 123', '\ud800']) {
    t.equal(
      await refusalText(() => logIdOfKey(name, key)),
      'invalid_request: signed note: bad key name'
    )
  }
})
