import t from 'tap'
import { emailOfUserId } from '../../../src/keys/pgp/user-id.js'
import { bytes, utf8 } from '../../helpers/pgp.js'

t.test('the e-mail part', async (t) => {
  const cases: readonly (readonly [userId: string, email: string])[] = [
    ['', ''],
    ['Name', ''],
    ['Name <a@b.cc>', 'a@b.cc'],
    ['Name (Comment) <a@b.cc>', 'a@b.cc'],
    ['<a@b.cc>', 'a@b.cc'],
    ['a@b.cc', 'a@b.cc'],
    [' a@b.cc ', 'a@b.cc'],
    ['Name <\u00a0a@b.cc\t>', 'a@b.cc'],
    ['Name <a@b.cc', 'a@b.cc'],
    ['Name <a@b.cc> <c@d.ee>', 'a@b.cc'],
    ['Name (x) y <a@b.cc>', 'a@b.cc'],
    ['Name (x <c@d.ee>) <a@b.cc>', 'a@b.cc'],
    ['Name (x <c@d.ee>', ''],
    ['Name (x)', ''],
    ['a@b.cc (x)', 'a@b.cc'],
    ['a@b.cc (x', 'a@b.cc'],
    ['(x) a@b.cc', ''],
    ['Name <>', ''],
    ['a@b.cc <>', 'a@b.cc'],
    ['Name () <a@b.cc>', 'a@b.cc'],
    ['Name (<) <a@b.cc>', 'a@b.cc'],
    ['> <a@b.cc>', 'a@b.cc'],
    ['Name <not an address>', 'not an address'],
    ['Jörg <jörg@bücher.example>', 'jörg@bücher.example']
  ]
  for (const [userId, email] of cases) {
    t.equal(emailOfUserId(utf8(userId)), email, JSON.stringify(userId))
  }
})

t.test('Latin-1 around an address does no harm', async (t) => {
  t.equal(emailOfUserId(bytes(utf8('J'), 0xf6, utf8('rg <j@b.cc>'))), 'j@b.cc')
  t.equal(emailOfUserId(bytes(utf8('x <'), 0xf6, utf8('@b.cc>'))), '\ufffd@b.cc')
})
