// Entries that are in a log, spread over all of it, as a client finds them.

const AT_ONCE = 16
const PRIME = 1_000_003

/** @returns { size, entries: [{ logIndex, uuid, artifactHash }] } */
export async function sampleLog({ url }, count) {
  const { treeSize: size } = await answerOf(`${url}/api/v1/log`)
  const wanted = Array.from({ length: Math.min(count, size) }, (_, i) => (i * PRIME) % size)
  const entries = []
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const some = wanted.slice(at, at + AT_ONCE)
    entries.push(...(await Promise.all(some.map((logIndex) => readEntry(url, logIndex)))))
  }
  return { size, entries }
}

async function readEntry(url, logIndex) {
  const answer = await answerOf(`${url}/api/v1/log/entries?logIndex=${logIndex}`)
  const [[uuid, { body }]] = Object.entries(answer)
  const { spec } = JSON.parse(Buffer.from(body, 'base64').toString())
  const { algorithm, value } = spec.data.hash
  return { logIndex, uuid, artifactHash: `${algorithm}:${value}` }
}

async function answerOf(url) {
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}
