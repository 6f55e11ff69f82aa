import t from 'tap'
import { parseRpm } from '../../../src/archive/rpm.js'
import { packageHeaders } from '../../../src/entries/rpm/package-headers.js'
import { bytes } from '../../helpers/pgp.js'
import { refusalText } from '../../helpers/refusals.js'
import {
  binary,
  int32,
  makeRpm,
  NAMES,
  text,
  type RpmOptions,
  type TestTag
} from '../../helpers/rpm.js'

const headersOf = (options: RpmOptions) => packageHeaders(parseRpm(makeRpm(options)))
const HELLO = {
  Name: 'hello',
  Epoch: '0',
  Version: '2.12',
  Release: '3.fc40',
  Architecture: 'x86_64'
}

t.test('what a package says of itself', async (t) => {
  t.strictSame(headersOf({ tags: NAMES }), HELLO)
  t.strictSame(
    headersOf({ tags: [...NAMES, int32(1003, 0xffffffff, 5)] }),
    { ...HELLO, Epoch: '4294967295' },
    'an epoch is unsigned'
  )
  const long: TestTag = { tag: 1003, type: 5, data: new Uint8Array(8).fill(255) }
  t.strictSame(
    headersOf({ tags: [...NAMES, long] }),
    { ...HELLO, Epoch: '18446744073709551615' },
    'an epoch beyond 2^53'
  )
  t.strictSame(
    headersOf({ tags: NAMES, signatures: () => [binary(1004, bytes(1, 0xab))] }),
    { ...HELLO, RPMSIGTAG_MD5: '01ab' },
    'the MD5 digest'
  )
  const sha = [text(269, 'a'), text(273, 'b')]
  t.strictSame(
    headersOf({ tags: NAMES, signatures: () => sha }),
    HELLO,
    'other digests do not count'
  )
  const empty = NAMES.map((each) => ({ ...each, data: bytes(0) }))
  t.strictSame(
    headersOf({ tags: empty }),
    { Name: '', Epoch: '0', Version: '', Release: '', Architecture: '' },
    'names may be empty'
  )
})

t.test('what is refused', async (t) => {
  for (const { tag } of NAMES) {
    const others = NAMES.filter((each) => each.tag !== tag)
    t.equal(
      await refusalText(() => headersOf({ tags: others })),
      `invalid_request: No such entry ${tag}`
    )
    t.equal(
      await refusalText(() => headersOf({ tags: [...others, int32(tag, 1)] })),
      `invalid_request: unsupported datatype for string: 4, tag: ${tag}`
    )
  }
  t.equal(
    await refusalText(() => headersOf({ tags: [...NAMES, text(1003, '1')] })),
    "invalid_request: tag 1003 isn't an int type"
  )
  t.equal(
    await refusalText(() => headersOf({ tags: NAMES, signatures: () => [text(1004, 'ab')] })),
    'invalid_request: unsupported datatype for bytes: 6, tag: 1004'
  )
})
