import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { clientPath, packageVersion } from './clients.js'
import { freePort } from './server.js'
import { type Json, text } from './tamper.js'

/** Something in a registry that a manifest says the type, size and name of. */
export interface Descriptor {
  readonly mediaType: string
  /** `sha256:HEX`. */
  readonly digest: string
  /** Bytes. */
  readonly size: number
}

/** An image in a registry, named by its digest. */
export interface Image {
  readonly repository: string
  /** `sha256:HEX` of its manifest. */
  readonly digest: string
  /** What clients are given: `127.0.0.1:PORT/REPOSITORY@sha256:HEX`. */
  readonly reference: string
}

/** A manifest or an index. */
export type Manifest = { readonly mediaType: string } & { [member: string]: Json }

/** A real registry of images, and what clients do with it, done by plain requests. */
export interface Registry {
  /** `127.0.0.1:PORT`. */
  readonly address: string
  /** Pushes an image of one layer with one file that holds `content`: the same content is the same image. */
  pushImage(repository: string, content: string): Promise<Image>
  /** Copies an image, and nothing that is attached to it, into another repository. */
  pushCopy(image: Image, repository: string): Promise<Image>
  /** @returns the blob's own descriptor, without a type */
  pushBlob(repository: string, bytes: Uint8Array): Promise<Pick<Descriptor, 'digest' | 'size'>>
  blob(repository: string, digest: string): Promise<Uint8Array>
  /** Stores a manifest under a tag or its digest. @returns its descriptor */
  pushManifest(repository: string, manifest: Manifest, tag?: string): Promise<Descriptor>
  /** The manifest under a tag or digest; undefined when there is none. */
  manifest(repository: string, reference: string): Promise<Manifest | undefined>
}

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

const START_LIMIT_MS = 30_000

/** Starts Debian's docker-registry on the loopback, with a folder of its own. It ends with `t`. */
export async function startRegistry(t: Test): Promise<Registry> {
  t.comment(`docker-registry ${packageVersion('trixie', 'docker-registry')}`)
  const dir = mkdtempSync(`${tmpdir()}/sigstead-registry-`)
  const address = `127.0.0.1:${await freePort()}`
  const config = `${dir}/config.yml`
  writeFileSync(
    config,
    [
      'version: 0.1',
      'log: {level: warn, accesslog: {disabled: true}}',
      `storage: {filesystem: {rootdirectory: ${dir}/data}}`,
      `http: {addr: '${address}'}`,
      ''
    ].join('\n')
  )
  const child = spawn(clientPath('trixie', 'docker-registry'), ['serve', config], {
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '', OTEL_TRACES_EXPORTER: 'none' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  t.teardown(async () => {
    if (!isOver()) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    rmSync(dir, { recursive: true, force: true })
  })

  const url = `http://${address}`
  const deadlineMs = Date.now() + START_LIMIT_MS
  while ((await fetch(`${url}/v2/`).catch(() => undefined))?.status !== 200) {
    if (isOver() || Date.now() > deadlineMs) throw new Error(`no registry:\n${output}`)
    await sleep(50)
  }
  return registryAt(address)
}

function registryAt(address: string): Registry {
  const url = `http://${address}/v2`

  async function pushBlob(repository: string, bytes: Uint8Array) {
    const digest = digestOf(bytes)
    const started = await expecting(202, `${url}/${repository}/blobs/uploads/`, { method: 'POST' })
    const upload = new URL(started.headers.get('location') ?? '', started.url)
    upload.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream' }
    await expecting(201, upload.href, { method: 'PUT', headers, body: bytes })
    return { digest, size: bytes.length }
  }

  async function pushManifest(repository: string, manifest: Manifest, tag?: string) {
    const { mediaType } = manifest
    const bytes = Buffer.from(JSON.stringify(manifest))
    const digest = digestOf(bytes)
    await expecting(201, `${url}/${repository}/manifests/${tag ?? digest}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes
    })
    return { mediaType, digest, size: bytes.length }
  }

  async function blob(repository: string, digest: string) {
    const answer = await expecting(200, `${url}/${repository}/blobs/${digest}`)
    return new Uint8Array(await answer.arrayBuffer())
  }

  async function manifest(repository: string, reference: string) {
    const headers = { accept: `${OCI_MANIFEST}, ${OCI_INDEX}` }
    const answer = await fetch(`${url}/${repository}/manifests/${reference}`, { headers })
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw new Error(`manifest ${reference}: ${answer.status}`)
    return (await answer.json()) as Manifest
  }

  const imageOf = (repository: string, { digest }: Descriptor): Image => ({
    repository,
    digest,
    reference: `${address}/${repository}@${digest}`
  })

  return {
    address,
    pushBlob,
    blob,
    pushManifest,
    manifest,
    async pushCopy(image, repository) {
      const original = await manifest(image.repository, image.digest)
      if (original === undefined) throw new Error(`no ${image.reference}`)
      const parts = [original['config'] ?? null, ...(original['layers'] as Json[])]
      for (const part of parts) {
        await pushBlob(repository, await blob(image.repository, text(part, ['digest'])))
      }
      return imageOf(repository, await pushManifest(repository, original))
    },
    async pushImage(repository, content) {
      const tar = tarOf('content.txt', content)
      const layer = await pushBlob(repository, gzipSync(tar))
      const imageConfig = {
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] }
      }
      const config = await pushBlob(repository, Buffer.from(JSON.stringify(imageConfig)))
      const manifest = {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: OCI_CONFIG, ...config },
        layers: [{ mediaType: OCI_LAYER, ...layer }]
      }
      return imageOf(repository, await pushManifest(repository, manifest))
    }
  }
}

async function expecting(status: number, url: string, init: RequestInit = {}): Promise<Response> {
  const answer = await fetch(url, init)
  if (answer.status === status) return answer
  throw new Error(`${init.method ?? 'GET'} ${url} answered ${answer.status}, not ${status}`)
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

const TAR_BLOCK = 512

/** A ustar archive of one file. */
function tarOf(name: string, content: string): Buffer {
  const body = Buffer.from(content)
  const header = Buffer.alloc(TAR_BLOCK)
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
  header.write(name, 0)
  header.write(octal(0o644, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(body.length, 11), 124)
  header.write(octal(0, 11), 136)
  header.write('        ', 148) // the checksum counts itself as spaces
  header.write('0', 156)
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  const padding = Buffer.alloc((TAR_BLOCK - (body.length % TAR_BLOCK)) % TAR_BLOCK)
  return Buffer.concat([header, body, padding, Buffer.alloc(2 * TAR_BLOCK)])
}
