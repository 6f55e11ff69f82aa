import { Counter, Histogram, Registry, exponentialBuckets } from 'prom-client'
import t from 'tap'
import { createMetrics, type LogGauges } from '../src/metrics.js'
import { seededRandom } from './helpers/random.js'

const paths = ['/api/v1/log', '/api/v1/log/entries', '/api/v1/log/entries/{entryUUID}']

/** `name{labels}` of every sample to its value. */
function samples(text: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const space = line.lastIndexOf(' ')
    found.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return found
}

function named(all: ReadonlyMap<string, number>, name: string): string[] {
  return [...all.keys()].filter((sample) => sample === name || sample.startsWith(`${name}{`))
}

t.test("Rekor's metric names and units", async (t) => {
  const metrics = createMetrics({ version: '1.2.3', paths })
  metrics.apiRequest({ path: '/api/v1/log', method: 'GET', code: 200, seconds: 0.0005 })
  metrics.apiRequest({ path: '/api/v1/log', method: 'GET', code: 200, seconds: 2 })
  metrics.newEntry()
  metrics.indexLookup({ seconds: 0.001, success: true })
  metrics.batch({ treeId: '7', newLeaves: 3, published: true })
  metrics.batch({ treeId: '7', newLeaves: 3, published: false })
  metrics.committed(0.002)
  metrics.published(0.004)
  const all = samples(await metrics.render())

  const path = 'path="/api/v1/log"'
  t.equal(all.get('rekor_new_entries'), 1)
  t.equal(all.get(`rekor_qps_by_api{${path},method="GET",code="200"}`), 2)
  t.equal(all.get(`rekor_api_latency_count{${path},code="200"}`), 2)
  t.equal(all.get(`rekor_api_latency_sum{${path},code="200"}`), 2_000_500_000)
  t.equal(all.get(`rekor_api_latency_summary_count{${path},code="200"}`), 2)
  t.equal(all.get(`rekor_latency_by_api_count{${path},method="GET"}`), 2)
  const buckets = named(all, 'rekor_latency_by_api_bucket')
  t.equal(buckets.length, 11, 'ten and infinity')
  t.equal(all.get(`rekor_latency_by_api_bucket{le="1000000",${path},method="GET"}`), 1)
  const bounds = buckets.map((bucket) => Number(/le="([^"]+)"/.exec(bucket)?.[1]))
  t.ok(
    bounds.some((bound) => Math.abs(bound - 60e9) < 1e6),
    'the last one is a minute'
  )
  t.equal(all.get('rekor_index_storage_latency_summary_sum{success="true"}'), 1_000_000)
  t.equal(all.get('rekor_checkpoint_publish{shard="7",code="SUCCESS"}'), 1)
  t.equal(all.get('rekor_checkpoint_publish{shard="7",code="ERROR"}'), 1)
  t.equal(all.get('sigstead_batch_leaves_sum'), 3, 'a failed batch added nothing')
  t.equal(all.get('sigstead_commit_seconds_sum'), 0.002)
  t.equal(all.get('sigstead_publish_seconds_sum'), 0.004)
  t.match(named(all, 'rekor_build_info'), [/version="1.2.3"/])
  t.ok(all.has('process_resident_memory_bytes'), 'and those of the process')
})

t.test("Fulcio's metric names and units", async (t) => {
  const metrics = createMetrics({ version: '1.2.3', paths })
  t.equal(samples(await metrics.render()).get('fulcio_new_certs'), 0, 'there from the start')
  metrics.fulcio.newCertificate()
  metrics.fulcio.apiRequest({ method: 'POST', code: 201, seconds: 0.25 })
  metrics.fulcio.apiRequest({ method: 'POST', code: 201, seconds: 0.5 })
  metrics.fulcio.apiRequest({ method: 'GET', code: 200, seconds: 0.001 })
  // A request to Rekor is none to Fulcio.
  metrics.apiRequest({ path: '/api/v1/log', method: 'GET', code: 200, seconds: 1 })
  const all = samples(await metrics.render())
  t.equal(all.get('fulcio_new_certs'), 1)
  t.equal(all.get('fulcio_api_latency_count{code="201",method="post"}'), 2)
  t.equal(all.get('fulcio_api_latency_sum{code="201",method="post"}'), 0.75, 'seconds')
  t.equal(all.get('fulcio_api_latency_bucket{le="0.25",code="201",method="post"}'), 1)
  t.strictSame(named(all, 'http_requests_total'), [
    'http_requests_total{code="201",method="post"}',
    'http_requests_total{code="200",method="get"}'
  ])
  t.equal(all.get('http_requests_total{code="201",method="post"}'), 2)
  t.equal(all.get('http_requests_total{code="200",method="get"}'), 1)
  t.match(named(all, 'fulcio_build_info'), [
    `fulcio_build_info{version="1.2.3",revision="",build_date="",goversion="${process.version}"}`
  ])
})

t.test('no stranger adds a time series', async (t) => {
  const metrics = createMetrics({ version: '1', paths })
  for (let i = 0; i < 200; i++) {
    metrics.apiRequest({
      path: `/api/v1/log/entries/${'ab'.repeat(i)}"\n`,
      method: `METHOD${i}`,
      code: 600 + i,
      seconds: 0.001
    })
  }
  const all = samples(await metrics.render())
  t.strictSame(named(all, 'rekor_qps_by_api'), [
    'rekor_qps_by_api{path="other",method="other",code="other"}'
  ])
  t.equal(named(all, 'rekor_api_latency_count').length, 1)
  t.equal(named(all, 'rekor_latency_by_api_count').length, 1)
})

t.test('gauges are read at the scrape', async (t) => {
  const metrics = createMetrics({ version: '1', paths })
  t.notMatch(await metrics.render(), /^sigstead_(queue|tree|checkpoint)/m, 'absent before')

  let now: LogGauges = {
    queuedLeaves: 5,
    queuedBytes: 600,
    treeSizes: new Map([
      ['11', 10],
      ['9223372036854775807', 3]
    ]),
    checkpointAgeSeconds: 1.5
  }
  metrics.watchLog(() => now)
  const first = samples(await metrics.render())
  t.equal(first.get('sigstead_queue_leaves'), 5)
  t.equal(first.get('sigstead_queue_bytes'), 600)
  t.equal(first.get('sigstead_tree_size{tree_id="11"}'), 10)
  t.equal(first.get('sigstead_tree_size{tree_id="9223372036854775807"}'), 3)
  t.equal(first.get('sigstead_checkpoint_age_seconds'), 1.5)

  now = { ...now, queuedLeaves: 0 }
  t.equal(samples(await metrics.render()).get('sigstead_queue_leaves'), 0)

  metrics.watchLog(() => Promise.reject(new Error('database gone')))
  const broken = samples(await metrics.render())
  t.notOk(broken.has('sigstead_queue_leaves'), 'an unreadable log shows no old numbers')
  t.equal(named(broken, 'sigstead_tree_size').length, 0)
  t.ok(broken.has('rekor_new_entries'), 'and hides nothing else')
})

t.test('two servers in one process do not share', async (t) => {
  const one = createMetrics({ version: '1', paths })
  const two = createMetrics({ version: '1', paths })
  one.newEntry()
  t.equal(samples(await one.render()).get('rekor_new_entries'), 1)
  t.equal(samples(await two.render()).get('rekor_new_entries'), 0)
  t.match(one.contentType, /^text\/plain; version=0.0.4/)
})

t.test('metrics of the timestamp authority', async (t) => {
  const path = '/api/v1/timestamp'
  const metrics = createMetrics({ version: '1.2.3', paths: [path] })
  const { timestamps } = metrics
  const days = 'timestamp_authority_certificate_valid_days_remaining'
  t.notOk(samples(await metrics.render()).has(days), 'not known yet')

  timestamps.apiRequest({ path, method: 'POST', code: 200, seconds: 0.002 })
  timestamps.apiRequest({ path, method: 'POST', code: 499, seconds: 0.002 })
  timestamps.apiRequest({ path: '/guess/1', method: 'BREW', code: 404, seconds: 0.001 })
  timestamps.apiRequest({ path: '/guess/2', method: 'BREW', code: 404, seconds: 0.001 })
  let remaining = 30
  timestamps.watchCertificate(() => remaining)
  timestamps.ntpAnswer({ host: 'time.test', failed: false, seconds: 0.5 })
  timestamps.ntpAnswer({ host: 'time.test', failed: true, seconds: 5 })
  timestamps.ntpError('err_too_few')
  timestamps.clockStep('back')
  const all = samples(await metrics.render())
  const of = (name: string): number | undefined => all.get(`timestamp_authority_${name}`)
  t.equal(of(`http_requests_total{path="${path}",method="POST",code="200"}`), 1)
  t.equal(of(`http_requests_total{path="${path}",method="POST",code="499"}`), 1)
  const unknown = 'path="unrecognized",method="unrecognized"'
  t.equal(of(`http_requests_total{${unknown},code="404"}`), 2)
  t.equal(of(`api_latency_sum{path="${path}",code="200"}`), 2_000_000)
  t.equal(of(`api_latency_summary_count{path="${path}",code="200"}`), 1)
  t.equal(of(`latency_by_api_count{path="${path}",method="POST"}`), 2)
  t.equal(of('ntp_sync_total{failed="false",host="time.test"}'), 1)
  t.equal(of('ntp_sync_total{failed="true",host="time.test"}'), 1)
  t.equal(of('ntp_latency_sum{host="time.test"}'), 500_000_000)
  t.equal(of('ntp_errors_total{reason="err_too_few"}'), 1)
  t.equal(of('certificate_valid_days_remaining'), 30)
  t.equal(all.get('sigstead_timestamp_clock_steps{direction="back"}'), 1)
  t.match(named(all, 'timestamp_authority_build_info'), [/version="1.2.3"/])
  remaining = 29
  t.equal(samples(await metrics.render()).get(days), 29)
})

t.test('what calls took, as the library would tell it', async (t) => {
  const metrics = createMetrics({ version: '1', paths })
  const [path] = paths as [string]
  const registry = new Registry()
  const buckets = exponentialBuckets(1e6, 60_000 ** (1 / 9), 10)
  const registers = [registry]
  const help = 'any'
  const latency = new Histogram({
    name: 'rekor_api_latency',
    help,
    labelNames: ['path', 'code'],
    buckets,
    registers
  })
  const byApi = new Histogram({
    name: 'rekor_latency_by_api',
    help,
    labelNames: ['path', 'method'],
    buckets,
    registers
  })
  const calls = new Counter({
    name: 'rekor_qps_by_api',
    help,
    labelNames: ['path', 'method', 'code'],
    registers
  })
  const random = seededRandom()
  t.comment(`seed ${random.seed}`)
  for (let i = 0; i < 3000; i++) {
    const method = random.pick(['GET', 'POST', 'HEAD'])
    const code = random.pick([200, 201, 404, 499])
    // Whole multiples of 2^-10 seconds, and the bounds themselves.
    const seconds = i < 20 ? (buckets[i % 10] as number) / 1e9 : random.below(2 ** 17) / 1024
    metrics.apiRequest({ path, method, code, seconds })
    latency.observe({ path, code }, seconds * 1e9)
    byApi.observe({ path, method }, seconds * 1e9)
    calls.inc({ path, method, code })
  }
  const wanted = samples(await registry.metrics())
  const all = samples(await metrics.render())
  for (const name of ['rekor_api_latency', 'rekor_latency_by_api', 'rekor_qps_by_api']) {
    const found = [...all].filter(
      ([sample]) => sample.startsWith(name) && !sample.includes('summary')
    )
    t.strictSame(
      found.map(([sample]) => sample),
      [...wanted.keys()].filter((sample) => sample.startsWith(name)),
      `${name}: the same lines`
    )
    for (const [sample, value] of found) {
      const want = wanted.get(sample) ?? NaN
      if (Math.abs(value - want) > Math.abs(want) * 1e-12) t.fail(`${sample}: ${value}, ${want}`)
    }
  }
})

t.test('quantiles are those of the last ten minutes, to 1 %', async (t) => {
  let nowMs = 1_700_000_040_000
  const metrics = createMetrics({ version: '1', paths, now: () => nowMs })
  const quantile = async (q: number): Promise<number | undefined> => {
    const labels = `quantile="${q}",path="/api/v1/log",code="200"`
    return samples(await metrics.render()).get(`rekor_api_latency_summary{${labels}}`)
  }
  const call = (seconds: number) =>
    metrics.apiRequest({ path: '/api/v1/log', method: 'GET', code: 200, seconds })
  const near = (found: number | undefined, want: number, name: string) =>
    t.ok(found !== undefined && Math.abs(found - want) <= want * 0.0101, `${name}: ${found}`)

  for (let i = 1; i <= 1000; i++) call(i / 1000)
  near(await quantile(0.5), 0.5e9, 'median')
  near(await quantile(0.9), 0.9e9, '90 %')
  near(await quantile(0.99), 0.99e9, '99 %')

  nowMs += 300_000
  for (let i = 0; i < 3000; i++) call(2)
  near(await quantile(0.5), 2e9, 'what came later counts as much')
  nowMs -= 60_000
  near(await quantile(0.5), 2e9, 'a clock that is set back forgets nothing')
  nowMs += 60_000 + 420_000
  call(2)
  call(5e-10)
  call(1e6)
  near(await quantile(0.5), 2e9, 'older ones are forgotten')
  near(await quantile(0.99), 2e9, 'only of them')
  nowMs += 3_600_000
  t.equal(await quantile(0.5), 0, 'nothing lately')
  call(3e-9)
  near(await quantile(0.5), 3, 'nanoseconds')
  nowMs += 3_600_000
  call(1e6)
  near(await quantile(0.5), 1e12, 'as long as it gets')
  nowMs += 3_600_000
  call(0)
  near(await quantile(0.5), 1, 'and as short')
  t.equal(
    samples(await metrics.render()).get(
      'rekor_api_latency_summary_count{path="/api/v1/log",code="200"}'
    ),
    4006,
    'the count is of all time'
  )
})
