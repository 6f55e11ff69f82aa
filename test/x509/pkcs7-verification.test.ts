import t from 'tap'
import { encodeNull, encodeOid, encodeSequence } from '../../src/encoding/der.js'
import { encodeBitString } from '../../src/encoding/der.js'
import { decodePkcs7 } from '../../src/x509/pkcs7-format.js'
import { verifyPkcs7 } from '../../src/x509/pkcs7-verification.js'
import { parsePkcs7 } from '../../src/x509/pkcs7.js'
import { certificate, name } from '../helpers/certificates.js'
import { mutate } from '../helpers/mutations.js'
import {
  attribute,
  ecSigner,
  pkcs7,
  PKCS7_OID,
  rsaSigner,
  signerInfo,
  signPkcs7,
  text,
  timestampToken,
  tstInfo
} from '../helpers/pkcs7.js'
import { seededRandom } from '../helpers/random.js'
import { refusalText, unlessRefused } from '../helpers/refusals.js'
import { rekorVector, rekorVectorText } from '../helpers/vectors.js'

const content = text('content')
const other = text('other')
const verify = (der: Uint8Array, external?: Uint8Array) => verifyPkcs7(parsePkcs7(der), external)

t.test('vectors of Rekor', async (t) => {
  const signed = Buffer.from(rekorVectorText('inline/pkcs7/signedContent.b64'), 'base64')
  const unequal =
    'verification_failed: pkcs7: internal and external content were both provided but are not equal'
  for (const path of ['inline/pkcs7/pkcsECDSAPEM.pem', 'pki/pkcs7/sig.pkcs7.pem']) {
    const read = decodePkcs7(rekorVector(path))
    await t.resolves(verifyPkcs7(read), path)
    await t.resolves(verifyPkcs7(read, signed), 'content given as well')
    const detached = parsePkcs7(read.detached)
    await t.resolves(verifyPkcs7(detached, signed), 'the canonical form, and the content')
    t.equal(await refusalText(() => verifyPkcs7(read, other)), unequal)
    t.match(
      await refusalText(() => verifyPkcs7(detached, other)),
      /^verification_failed: invalid signature when validating ASN.1/
    )
    t.equal(
      await refusalText(() => verifyPkcs7(detached)),
      'verification_failed: pkcs7: missing content'
    )
  }
  const bare = decodePkcs7(rekorVector('inline/pkcs7/pkcsPEMEmail.pem'))
  t.equal(
    await refusalText(() => verifyPkcs7(bare, content)),
    'verification_failed: pkcs7 contains no signatures'
  )
})

t.test('every signature and every timestamp counts', async (t) => {
  const certificates = [ecSigner.certificate, rsaSigner.certificate]
  const good = signerInfo({ content })
  const both = [good, signerInfo({ content, signer: rsaSigner })]
  await t.resolves(verify(pkcs7({ certificates, signers: both }), content))
  const bad = signerInfo({ content: other, signer: rsaSigner })
  const mismatch = 'verification_failed: pkcs7: content digest does not match'
  for (const signers of [
    [good, bad],
    [bad, good]
  ]) {
    t.equal(await refusalText(() => verify(pkcs7({ certificates, signers }), content)), mismatch)
  }
  const stamped = (about: (signature: Uint8Array) => Uint8Array) =>
    signPkcs7(content, {
      unsigned: (signature) => [
        attribute(PKCS7_OID.timestampToken, timestampToken(tstInfo(about(signature))))
      ]
    })
  await t.resolves(
    verify(
      stamped((signature) => signature),
      content
    )
  )
  t.equal(
    await refusalText(() =>
      verify(
        stamped(() => other),
        content
      )
    ),
    'verification_failed: verifying timestamp imprint: pkcs9: digest check failed'
  )
})

t.test('certificates that come along', async (t) => {
  const dsa = certificate({
    spki: encodeSequence(encodeSequence(encodeOid('1.2.840.10040.4.1')), encodeBitString(content))
  })
  const signers = [signerInfo({ content })]
  await t.resolves(
    verify(pkcs7({ certificates: [dsa, ecSigner.certificate], signers }), content),
    'one of a kind that we do not verify with'
  )
  t.equal(
    await refusalText(() => verify(pkcs7({ certificates: [dsa], signers }), content)),
    'unsupported: x509: unknown public key algorithm',
    'the one that signs of such a kind'
  )
  for (const malformed of [encodeNull(), certificate({ issuer: encodeNull() })]) {
    t.match(
      await refusalText(() =>
        verify(pkcs7({ certificates: [ecSigner.certificate, malformed], signers }), content)
      ),
      /^invalid_request: x509: /
    )
  }
  t.match(
    await refusalText(() =>
      verify(
        pkcs7({
          certificates: [certificate({ subject: name('somebody else') })],
          signers
        }),
        content
      )
    ),
    /^verification_failed: certificate missing from signedData/
  )
})

t.test('mutated signatures are refused, or sign the same', async (t) => {
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  const fixtures = [
    signPkcs7(content, {}, true),
    signPkcs7(content, {
      signer: rsaSigner,
      unsigned: (signature) => [
        attribute(PKCS7_OID.timestampToken, timestampToken(tstInfo(signature)))
      ]
    })
  ]
  const failures: string[] = []
  let accepted = 0
  for (let i = 0; i < 500; i++) {
    const bytes = mutate(random.pick(fixtures), random)
    const read = await unlessRefused(async () => {
      await verify(bytes, content)
      return parsePkcs7(bytes)
    })
    if (read === undefined) continue
    accepted++
    // Nothing else was ever signed, whatever came along.
    const elsewhere = await unlessRefused(async () => {
      await verifyPkcs7({ ...read, content: undefined }, other)
      return true
    })
    if (elsewhere === true) failures.push(Buffer.from(bytes).toString('hex'))
  }
  t.same(failures, [])
  t.comment(`${accepted} of 500 accepted`)
})
