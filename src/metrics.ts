import {
  Counter,
  Gauge,
  Histogram,
  Registry,
  Summary,
  collectDefaultMetrics,
  exponentialBuckets,
  type Metric
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
  const api = callMetrics(
    registry,
    {
      latency: 'rekor_api_latency',
      latencyByApi: 'rekor_latency_by_api',
      calls: 'rekor_qps_by_api',
      api: 'of the API'
    },
    now
  )
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
    timestamps: timestampMetrics(registry, version, known, now),
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

/** A call of an API, its labels from closed sets. */
interface Call {
  readonly path: string
  readonly method: string
  readonly code: string
  readonly nanoseconds: number
}

/** Names of what is told about the calls of an API. */
interface CallMetricNames {
  readonly latency: string
  readonly latencyByApi: string
  readonly calls: string
  /** What it is a call of. */
  readonly api: string
}

/** What calls of one path and method with one outcome took. */
interface CallCell {
  readonly path: string
  readonly method: string
  readonly code: string
  count: number
  nanoseconds: number
  /** How many took up to each bound of LATENCY_BUCKETS_NS and more than the one before. */
  readonly buckets: number[]
  /** Shared by all methods of path and outcome. */
  readonly lately: Quantiles
}

/**
 * Two histograms, a summary and a counter of the same calls. Every request ends here, and four metrics of the library took 8 us
 * of each; so calls are counted once, and the metrics are made of that when they are read.
 */
function callMetrics(
  registry: Registry,
  names: CallMetricNames,
  now: () => number
): (call: Call) => void {
  const cells: CallCell[] = []
  const byLabels = new Map<string, Map<string, Map<string, CallCell>>>()

  function addCell({ path, method, code }: Call): CallCell {
    const sibling = cells.find((cell) => cell.path === path && cell.code === code)
    const buckets = LATENCY_BUCKETS_NS.map(() => 0)
    const lately = sibling?.lately ?? createQuantiles(now)
    const cell = { path, method, code, count: 0, nanoseconds: 0, buckets, lately }
    cells.push(cell)
    const byMethod = byLabels.get(path) ?? new Map<string, Map<string, CallCell>>()
    byLabels.set(path, byMethod)
    const byCode = byMethod.get(method) ?? new Map<string, CallCell>()
    byMethod.set(method, byCode)
    byCode.set(code, cell)
    return cell
  }

  const inNanoseconds = `Time of a call ${names.api} in nanoseconds`
  const byPathAndCode = ({ path, code }: CallCell): Labels => ({ path, code })
  const byPathAndMethod = ({ path, method }: CallCell): Labels => ({ path, method })
  register(registry, names.latency, 'histogram', inNanoseconds, () =>
    groupBy(cells, byPathAndCode).flatMap((group) => histogramOf(names.latency, group))
  )
  const summary = `${names.latency}_summary`
  const summaryHelp = `${inNanoseconds}, quantiles of the last ten minutes to 1 %`
  register(registry, summary, 'summary', summaryHelp, () =>
    groupBy(cells, byPathAndCode).flatMap((group) => summaryOf(summary, group))
  )
  register(registry, names.latencyByApi, 'histogram', inNanoseconds, () =>
    groupBy(cells, byPathAndMethod).flatMap((group) => histogramOf(names.latencyByApi, group))
  )
  register(registry, names.calls, 'counter', `Calls ${names.api}`, () =>
    cells.map(({ path, method, code, count }) => ({ labels: { path, method, code }, value: count }))
  )

  return (call) => {
    const { path, method, code, nanoseconds } = call
    const cell = byLabels.get(path)?.get(method)?.get(code) ?? addCell(call)
    cell.count++
    cell.nanoseconds += nanoseconds
    const bucket = LATENCY_BUCKETS_NS.findIndex((bound) => nanoseconds <= bound)
    if (bucket >= 0) cell.buckets[bucket] = (cell.buckets[bucket] as number) + 1 // one for each bound
    cell.lately.observe(nanoseconds)
  }
}

type Labels = Readonly<Record<string, string | number>>

/** One line of the exposition. Without a name it has that of its metric. */
interface Sample {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

/** Adds a metric of ours to a registry of the library, which reads nothing of it but this. */
function register(
  registry: Registry,
  name: string,
  type: 'counter' | 'histogram' | 'summary',
  help: string,
  read: () => readonly Sample[]
): void {
  const metric = { name, get: async () => ({ name, type, help, values: read() }) }
  registry.registerMetric(metric as unknown as Metric)
}

interface Group {
  readonly labels: Labels
  readonly cells: readonly CallCell[]
}

/** Cells with equal labels, in the order in which they first came. */
function groupBy(
  cells: readonly CallCell[],
  labelsOf: (cell: CallCell) => Labels
): readonly Group[] {
  const groups = new Map<string, { labels: Labels; cells: CallCell[] }>()
  for (const cell of cells) {
    const labels = labelsOf(cell)
    const key = JSON.stringify(labels)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { labels, cells: [cell] })
    else group.cells.push(cell)
  }
  return [...groups.values()]
}

function histogramOf(name: string, group: Group): readonly Sample[] {
  let upToBound = 0
  const buckets = LATENCY_BUCKETS_NS.map((bound, i) => {
    for (const { buckets } of group.cells) upToBound += buckets[i] as number // one for each bound
    return bucketSample(name, bound, group, upToBound)
  })
  const { sum, count } = totalOf(name, group)
  return [...buckets, bucketSample(name, '+Inf', group, count.value), sum, count]
}

function bucketSample(name: string, le: string | number, { labels }: Group, value: number): Sample {
  return { metricName: `${name}_bucket`, labels: { le, ...labels }, value }
}

function summaryOf(name: string, group: Group): readonly Sample[] {
  const [{ lately }] = group.cells as readonly [CallCell] // no group is empty
  const { sum, count } = totalOf(name, group)
  const quantiles = SUMMARY_WINDOW.percentiles.map((quantile) => ({
    labels: { quantile, ...group.labels },
    value: lately.read(quantile)
  }))
  return [...quantiles, sum, count]
}

function totalOf(name: string, { labels, cells }: Group): { sum: Sample; count: Sample } {
  const sum = cells.reduce((all, { nanoseconds }) => all + nanoseconds, 0)
  const count = cells.reduce((all, cell) => all + cell.count, 0)
  return {
    sum: { metricName: `${name}_sum`, labels, value: sum },
    count: { metricName: `${name}_count`, labels, value: count }
  }
}

/** Quantiles of what was observed lately. */
interface Quantiles {
  observe(value: number): void
  /** To 1 %; 0 where there was nothing. @param quantile from 0 to 1 */
  read(quantile: number): number
}

/** Steps of 2 %, each of which stands for its middle. */
const STEPS_PER_E = 1 / Math.log(1.02)
/** Up to 10^12, which is a quarter of an hour of nanoseconds: longer than a request can take. */
const MAX_STEP = Math.floor(Math.log(1e12) * STEPS_PER_E)

/** Counts by step and by part of the window: the oldest part is forgotten when a new one begins. */
function createQuantiles(now: () => number): Quantiles {
  const { ageBuckets, maxAgeSeconds } = SUMMARY_WINDOW
  const partMs = (maxAgeSeconds * 1000) / ageBuckets
  const parts = Array.from({ length: ageBuckets }, () => new Uint32Array(MAX_STEP + 1))
  let newest = Math.floor(now() / partMs)

  function forget(): void {
    const current = Math.floor(now() / partMs)
    if (current <= newest) return // a clock that was set back forgets nothing
    const stale = Math.min(ageBuckets, current - newest)
    for (let i = 0; i < stale; i++) partAt(current - i).fill(0)
    newest = current
  }

  function partAt(time: number): Uint32Array {
    return parts[time % ageBuckets] as Uint32Array // one for each remainder
  }

  return {
    observe(value) {
      forget()
      const step = Math.floor(Math.log(Math.max(1, value)) * STEPS_PER_E)
      const part = partAt(newest)
      const kept = Math.min(MAX_STEP, step)
      part[kept] = (part[kept] as number) + 1 // it has so many
    },
    read(quantile) {
      forget()
      const counts = Array.from({ length: MAX_STEP + 1 }, (_, step) =>
        parts.reduce((all, part) => all + (part[step] as number), 0)
      )
      const total = counts.reduce((all, count) => all + count, 0)
      let left = Math.ceil(total * quantile)
      if (left === 0) return 0
      const step = counts.findIndex((count) => (left -= count) <= 0)
      return Math.exp((step + 0.5) / STEPS_PER_E)
    }
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
  registry: Registry,
  version: string,
  paths: ReadonlySet<string>,
  now: () => number
): TimestampMetrics {
  const registers = [registry]
  const prefix = 'timestamp_authority'
  new Gauge({
    name: `${prefix}_build_info`,
    help: 'Always 1; the labels tell what is running. goversion is the Node.js version.',
    labelNames: ['version', 'revision', 'build_date', 'goversion'],
    registers
  }).set({ version, revision: '', build_date: '', goversion: process.version }, 1)
  const api = callMetrics(
    registry,
    {
      latency: `${prefix}_api_latency`,
      latencyByApi: `${prefix}_latency_by_api`,
      calls: `${prefix}_http_requests_total`,
      api: 'to the timestamp authority'
    },
    now
  )
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
      api({ path, method, code: String(status), nanoseconds: seconds * NS })
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
