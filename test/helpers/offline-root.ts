import { encodePem } from '../../src/encoding/pem.js'
import {
  buildIntermediateCertificate,
  buildRootCertificate
} from '../../src/x509/ca-certificate.js'
import { parseCertificateRequest } from '../../src/x509/csr.js'
import { runCommand } from './cli.js'
import { pemBytes } from './ct-vectors.js'
import { newSigner } from './test-tsa.js'

/** A chain for a new key of this data directory, under a root that is kept elsewhere. PEM, the issuing one first. */
export async function chainFromElsewhere(dataDir: string): Promise<string> {
  const signer = await newSigner()
  const notBeforeSeconds = Math.floor(Date.now() / 1000) - 60
  const times = { notBeforeSeconds, notAfterSeconds: notBeforeSeconds + 86_400 }
  const subject = { organization: 'offline', commonName: 'root' }
  const root = await buildRootCertificate({ ...times, subject, signer, serialNumber: 1n })
  const { code, stdout, stderr } = await runCommand(['ca', 'csr', '--data-dir', dataDir])
  if (code !== 0) throw new Error(`ca csr: ${stderr}`)
  const { subjectPublicKeyInfo } = parseCertificateRequest(pemBytes(stdout))
  const intermediate = await buildIntermediateCertificate({
    ...times,
    subject: { ...subject, commonName: 'issuing' },
    publicKey: subjectPublicKeyInfo,
    issuer: root,
    issuerSigner: signer,
    serialNumber: 2n
  })
  return [intermediate, root].map(({ der }) => encodePem('CERTIFICATE', der)).join('')
}
