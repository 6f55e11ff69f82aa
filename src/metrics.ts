import {
  Counter,
  Gauge,
  Histogram,
  Registry,
  Summary,
  collectDefaultMetrics,
  exponentialBuckets
} from 'prom-client'

/** A request that reached an enabled operation. */
export interface ApiRequest {
  /** Route template, such as `/api/v1/log/entries/{entryUUID}`; never the path that was asked. */
  readonly path: string
  readonly method: string
  /** HTTP status. */
  readonly code: number
  readonly seconds: number
}

/** One batch that was published, or that failed on the way. */
export interface WrittenBatch {
  readonly treeId: string
  /** Leaves that were added; duplicates not counted. */
  readonly newLeaves: number
  readonly published: boolean
}

/** Read at each scrape. */
export interface LogGauges {
  readonly queuedLeaves: number
  readonly queuedBytes: number
  /** Size of every tree by its id. */
  readonly treeSizes: ReadonlyMap<string, number>
  /** Since the write path last proved itself. */
  readonly checkpointAgeSeconds: number
}

export interface Metrics {
  apiRequest(request: ApiRequest): void
  readonly fulcio: FulcioMetrics
  readonly timestamps: TimestampMetrics
  newEntry(): void
  indexLookup(lookup: { readonly seconds: number; readonly success: boolean }): void
  batch(batch: WrittenBatch): void
  /** A durable commit of a batch. */
  committed(seconds: number): void
  /** A durable publication, signing not included. */
  published(seconds: number): void
  /** Names where the gauges come from. Until then they are absent. */
  watchLog(read: ReadGauges): void
  /** Names where it is known what expires when. */
  watchExpiry(
    read: () => readonly { readonly what: string; readonly expiresSeconds: number }[]
  ): void
  readonly contentType: string
  /** The exposition text. */
  render(): Promise<string>
}

/** What Fulcio counts, under its names. */
export interface FulcioMetrics {
  newCertificate(): void
  /** A request to one of its routes. */
  apiRequest(request: Omit<ApiRequest, 'path'>): void
}

/** What a timestamp authority counts, under the names and in the units of Sigstore's. */
export interface TimestampMetrics {
  /** A request to one of its routes. */
  apiRequest(request: ApiRequest): void
  /** Names where it is known when the signing certificates end. Until then that gauge is absent. */
  watchCertificate(daysRemaining: () => number): void
  /** A time server was asked. */
  ntpAnswer(answer: {
    readonly host: string
    readonly failed: boolean
    readonly seconds: number
  }): void
  /** A round of questions to time servers ended without agreement. */
  ntpError(reason: 'err_too_few' | 'err_inv_time'): void
  /** The clock was set. */
  clockStep(direction: 'back' | 'forward'): void
}

export interface MetricsOptions {
  readonly version: string
  /** Every route template there is: a path outside becomes `other`, so that no stranger can add a time series. */
  readonly paths: readonly string[]
  /** Milliseconds since the epoch. Default: the clock. */
  readonly now?: () => number
}

const NS = 1e9
const DAY_SECONDS = 86_400
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const OTHER = 'other'
/** The timestamp authority's word for it. */
const UNRECOGNIZED = 'unrecognized'

// Ten buckets from a millisecond to a minute, in nanoseconds, as Rekor's dashboards expect them (rekor-v1 §13.3).
const LATENCY_BUCKETS_NS = exponentialBuckets(1e6, 60_000 ** (1 / 9), 10)
const COMMIT_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const BATCH_BUCKETS_LEAVES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096]

// Go's client forgets after ten minutes in five steps; without it a summary would describe all time.
const SUMMARY_WINDOW = {
  percentiles: [0.5, 0.9, 0.99],
  maxAgeSeconds: 600,
  ageBuckets: 5,
  pruneAgedBuckets: false
}

/**
 * All metrics of one server in a registry of its own. Rekor's names and units (nanoseconds) where Rekor has the
 * metric, `sigstead_` and seconds where it has not. Rekor's event and database pool metrics have nothing to count
 * here and are left out.
 */
export function createMetrics({ version, paths, now = Date.now }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const known = new Set(paths)

  new Gauge({
    name: 'rekor_build_info',
    help: 'Always 1; the labels tell what is running. goversion is the Node.js version.',
    labelNames: ['version', 'revision', 'build_date', 'goversion'],
    registers
  }).set({ version, revision: '', build_date: '', goversion: process.version }, 1)
  const newEntries = new Counter({
    name: 'rekor_new_entries',
    help: 'Entries added to the log',
    registers
  })
  const api = apiMetrics(registers)
  const indexLatency = new Summary({
    name: 'rekor_index_storage_latency_summary',
    help: 'Time of a search index lookup in nanoseconds',
    labelNames: ['success'],
    ...SUMMARY_WINDOW,
    registers
  })
  const batches = batchMetrics(registers)
  const gauges = logGauges(registers)
  let readGauges: ReadGauges | undefined
  const watchExpiry = expiryGauge(registers, now)

  return {
    apiRequest: ({ path, method, code, seconds }) => {
      api({
        path: known.has(path) ? path : OTHER,
        method: METHODS.includes(method) ? method : OTHER,
        code: Number.isInteger(code) && code >= 100 && code <= 599 ? String(code) : OTHER,
        nanoseconds: seconds * NS
      })
    },
    fulcio: fulcioMetrics(registers, version),
    timestamps: timestampMetrics(registers, version, known),
    newEntry: () => newEntries.inc(),
    indexLookup: ({ seconds, success }) => {
      indexLatency.observe({ success: String(success) }, seconds * NS)
    },
    ...batches,
    watchLog: (read) => {
      readGauges = read
    },
    watchExpiry,
    contentType: registry.contentType,
    render: async () => {
      // Before the rest is rendered, so that all gauges show one moment.
      if (readGauges !== undefined) await gauges.refresh(readGauges)
      return registry.metrics()
    }
  }
}

function apiMetrics(registers: Registry[]) {
  const latency = new Histogram({
    name: 'rekor_api_latency',
    help: 'Time of an API call in nanoseconds',
    labelNames: ['path', 'code'],
    buckets: LATENCY_BUCKETS_NS,
    registers
  })
  const latencySummary = new Summary({
    name: 'rekor_api_latency_summary',
    help: 'Time of an API call in nanoseconds, quantiles of the last ten minutes',
    labelNames: ['path', 'code'],
    ...SUMMARY_WINDOW,
    registers
  })
  const latencyByApi = new Histogram({
    name: 'rekor_latency_by_api',
    help: 'Time of an API call in nanoseconds',
    labelNames: ['path', 'method'],
    buckets: LATENCY_BUCKETS_NS,
    registers
  })
  const callsByApi = new Counter({
    name: 'rekor_qps_by_api',
    help: 'API calls',
    labelNames: ['path', 'method', 'code'],
    registers
  })
  return (call: { path: string; method: string; code: string; nanoseconds: number }): void => {
    const { path, method, code, nanoseconds } = call
    latency.observe({ path, code }, nanoseconds)
    latencySummary.observe({ path, code }, nanoseconds)
    latencyByApi.observe({ path, method }, nanoseconds)
    callsByApi.inc({ path, method, code })
  }
}

/** @see fulcio §16 */
function fulcioMetrics(registers: Registry[], version: string): FulcioMetrics {
  new Gauge({
    name: 'fulcio_build_info',
    help: 'Always 1; the labels tell what is running. goversion is the Node.js version.',
    labelNames: ['version', 'revision', 'build_date', 'goversion'],
    registers
  }).set({ version, revision: '', build_date: '', goversion: process.version }, 1)
  const certificates = new Counter({
    name: 'fulcio_new_certs',
    help: 'Certificates issued',
    registers
  })
  const latency = new Histogram({
    name: 'fulcio_api_latency',
    help: 'Time of a call to the certificate authority in seconds',
    labelNames: ['code', 'method'],
    registers
  })
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Calls to the certificate authority',
    labelNames: ['code', 'method'],
    registers
  })
  return {
    newCertificate: () => certificates.inc(),
    apiRequest: ({ method, code, seconds }) => {
      const labels = { code: String(code), method: method.toLowerCase() }
      latency.observe(labels, seconds)
      requests.inc(labels)
    }
  }
}

/** @see ct-and-tsa §C7 */
function timestampMetrics(
  registers: Registry[],
  version: string,
  paths: ReadonlySet<string>
): TimestampMetrics {
  const prefix = 'timestamp_authority'
  new Gauge({
    name: `${prefix}_build_info`,
    help: 'Always 1; the labels tell what is running. goversion is the Node.js version.',
    labelNames: ['version', 'revision', 'build_date', 'goversion'],
    registers
  }).set({ version, revision: '', build_date: '', goversion: process.version }, 1)
  const latency = new Histogram({
    name: `${prefix}_api_latency`,
    help: 'Time of a call to the timestamp authority in nanoseconds',
    labelNames: ['path', 'code'],
    buckets: LATENCY_BUCKETS_NS,
    registers
  })
  const latencySummary = new Summary({
    name: `${prefix}_api_latency_summary`,
    help: 'Time of a call to the timestamp authority in nanoseconds, quantiles of the last ten minutes',
    labelNames: ['path', 'code'],
    ...SUMMARY_WINDOW,
    registers
  })
  const latencyByApi = new Histogram({
    name: `${prefix}_latency_by_api`,
    help: 'Time of a call to the timestamp authority in nanoseconds',
    labelNames: ['path', 'method'],
    buckets: LATENCY_BUCKETS_NS,
    registers
  })
  const requests = new Counter({
    name: `${prefix}_http_requests_total`,
    help: 'Calls to the timestamp authority',
    labelNames: ['path', 'method', 'code'],
    registers
  })
  const ntpErrors = new Counter({
    name: `${prefix}_ntp_errors_total`,
    help: 'Rounds of questions to time servers with too few answers (err_too_few) or answers far from the clock (err_inv_time)',
    labelNames: ['reason'],
    registers
  })
  const ntpAnswers = new Counter({
    name: `${prefix}_ntp_sync_total`,
    help: 'Questions to time servers',
    labelNames: ['failed', 'host'],
    registers
  })
  const ntpLatency = new Histogram({
    name: `${prefix}_ntp_latency`,
    help: 'Time until a time server answered in nanoseconds',
    labelNames: ['host'],
    buckets: LATENCY_BUCKETS_NS,
    registers
  })
  const clockSteps = new Counter({
    name: 'sigstead_timestamp_clock_steps',
    help: 'Times the clock of this computer was set back, or forward by seconds, while timestamps were issued',
    labelNames: ['direction'],
    registers
  })
  let readDays: (() => number) | undefined
  const daysRemaining = new Gauge({
    name: `${prefix}_certificate_valid_days_remaining`,
    help: 'Days until the first certificate of the signing chain ends',
    registers,
    collect() {
      if (readDays !== undefined) this.set(readDays())
    }
  })
  daysRemaining.remove() // or it would claim 0
  return {
    apiRequest: ({ path: asked, method: sent, code: status, seconds }) => {
      const path = paths.has(asked) ? asked : UNRECOGNIZED
      const method = METHODS.includes(sent) ? sent : UNRECOGNIZED
      const code = String(status)
      latency.observe({ path, code }, seconds * NS)
      latencySummary.observe({ path, code }, seconds * NS)
      latencyByApi.observe({ path, method }, seconds * NS)
      requests.inc({ path, method, code })
    },
    watchCertificate: (read) => {
      readDays = read
    },
    ntpAnswer: ({ host, failed, seconds }) => {
      ntpAnswers.inc({ failed: String(failed), host })
      if (!failed) ntpLatency.observe({ host }, seconds * NS)
    },
    ntpError: (reason) => ntpErrors.inc({ reason }),
    clockStep: (direction) => clockSteps.inc({ direction })
  }
}

/** Absent until it is known what there is. */
function expiryGauge(registers: Registry[], now: () => number): Metrics['watchExpiry'] {
  let readExpiries: Parameters<Metrics['watchExpiry']>[0] | undefined
  new Gauge({
    name: 'sigstead_expiry_days_remaining',
    help: 'Days until something ends that clients must believe: certificates, TUF metadata, watched files',
    labelNames: ['what'],
    registers,
    collect() {
      this.reset()
      for (const { what, expiresSeconds } of readExpiries?.() ?? []) {
        this.set({ what }, (expiresSeconds - now() / 1000) / DAY_SECONDS)
      }
    }
  })
  return (read) => {
    readExpiries = read
  }
}

function batchMetrics(registers: Registry[]) {
  const checkpoints = new Counter({
    name: 'rekor_checkpoint_publish',
    help: 'Batches that ended with a published checkpoint (code SUCCESS) or failed (ERROR), by tree',
    labelNames: ['shard', 'code'],
    registers
  })
  const batchLeaves = new Histogram({
    name: 'sigstead_batch_leaves',
    help: 'New leaves in a batch',
    buckets: BATCH_BUCKETS_LEAVES,
    registers
  })
  const commitSeconds = new Histogram({
    name: 'sigstead_commit_seconds',
    help: 'Time of the durable commit of a batch',
    buckets: COMMIT_BUCKETS_SECONDS,
    registers
  })
  const publishSeconds = new Histogram({
    name: 'sigstead_publish_seconds',
    help: 'Time of the durable publication of a batch, without signing',
    buckets: COMMIT_BUCKETS_SECONDS,
    registers
  })
  return {
    batch: ({ treeId, newLeaves, published }: WrittenBatch): void => {
      checkpoints.inc({ shard: treeId, code: published ? 'SUCCESS' : 'ERROR' })
      if (published) batchLeaves.observe(newLeaves)
    },
    committed: (seconds: number): void => commitSeconds.observe(seconds),
    published: (seconds: number): void => publishSeconds.observe(seconds)
  }
}

type ReadGauges = () => LogGauges | Promise<LogGauges>

function logGauges(registers: Registry[]) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const queuedLeaves = gauge('sigstead_queue_leaves', 'Leaves that wait to be written')
  const queuedBytes = gauge('sigstead_queue_bytes', 'Bytes of leaves that wait to be written')
  const treeSize = gauge('sigstead_tree_size', 'Leaves of a tree', ['tree_id'])
  const age = gauge(
    'sigstead_checkpoint_age_seconds',
    'Time since the write path last proved that the published checkpoint is good'
  )
  // Removed rather than reset: a reset gauge without labels would claim 0.
  const clear = (): void => {
    for (const plain of [queuedLeaves, queuedBytes, age]) plain.remove()
    treeSize.reset()
  }
  clear()
  return {
    /** A log that cannot be read must not take the other metrics with it, nor show yesterday's numbers. */
    refresh: async (read: ReadGauges): Promise<void> => {
      try {
        const now = await read()
        queuedLeaves.set(now.queuedLeaves)
        queuedBytes.set(now.queuedBytes)
        age.set(now.checkpointAgeSeconds)
        for (const [treeId, size] of now.treeSizes) treeSize.set({ tree_id: treeId }, size)
      } catch {
        clear()
      }
    }
  }
}
