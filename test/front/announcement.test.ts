import t from 'tap'
import { createAnnouncement } from '../../src/front/announcement.js'

t.test('what is written is read, by whoever has the memory', (t) => {
  const written = createAnnouncement()
  const read = createAnnouncement(written.memory)
  t.strictSame(read.read(), { trees: 0, treeSize: 0 })
  for (const published of [
    { trees: 1, treeSize: 1 },
    { trees: 1, treeSize: 2 ** 31 },
    { trees: 2, treeSize: 0 },
    { trees: 256, treeSize: 2 ** 40 },
    { trees: 2 ** 15 - 1, treeSize: 2 ** 48 - 1 }
  ]) {
    written.write(published)
    t.strictSame(read.read(), published)
  }
  t.throws(() => written.write({ trees: 1, treeSize: 2 ** 48 }), { code: 'internal' })
  t.throws(() => written.write({ trees: 2 ** 15, treeSize: 1 }), { code: 'internal' })
  t.end()
})
