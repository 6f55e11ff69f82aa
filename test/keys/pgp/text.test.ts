import t from 'tap'
import { readText } from '../../../src/keys/pgp/text.js'

t.equal(readText(Uint8Array.of(0x4a, 0xc3, 0xb6)), 'Jö', 'UTF-8')
t.equal(readText(Uint8Array.of(0x4a, 0xf6, 0x72)), 'J\ufffdr', 'Latin-1')
t.equal(readText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x4a)), '\ufeffJ', 'a byte order mark is kept')
