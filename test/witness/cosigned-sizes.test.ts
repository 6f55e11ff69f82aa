import t from 'tap'
import { encodeUtf8 } from '../../src/encoding/text.js'
import { createCosignedSizes } from '../../src/witness/cosigned-sizes.js'
import { originHashOf } from '../../src/witness/witness-state.js'
import { memoryRegister } from '../helpers/memory-register.js'
import { refusal } from '../helpers/refusals.js'

t.test('sizes of two writers', async (t) => {
  const register = memoryRegister()
  const a = createCosignedSizes(register, 'log')
  const b = createCosignedSizes(register, 'log')
  t.equal(await a.get('w1'), 0)
  t.equal(await b.get('w1'), 0)
  await a.save()
  t.equal(register.cells.size, 0, 'nothing to write')
  a.set('w1', 7)
  b.set('w2', 9)
  t.equal(await a.get('w1'), 7)
  await Promise.all([a.save(), b.save()])
  const c = createCosignedSizes(register, 'log')
  t.same([await c.get('w1'), await c.get('w2'), await c.get('w3')], [7, 9, 0])
  t.equal(await createCosignedSizes(register, 'another').get('w1'), 0)
})

t.test('written by others all the time', async (t) => {
  const register = memoryRegister()
  const sizes = createCosignedSizes(register, 'log')
  let n = 0
  register.beforeSwap = (key) => {
    register.cells.set(key, encodeUtf8(`{"version":1,"sizes":{"x":${++n}}}`))
  }
  sizes.set('w1', 7)
  t.equal((await refusal(() => sizes.save())).code, 'conflict')
  t.equal(n, 10)
})

t.test('damaged', async (t) => {
  for (const text of [
    'x',
    '[]',
    '{"version":2,"sizes":{}}',
    '{"version":1}',
    '{"version":1,"sizes":{"w":"7"}}',
    '{"version":1,"sizes":{"w":-1}}'
  ]) {
    const register = memoryRegister()
    register.cells.set(`witness/cosigned/${originHashOf('log')}`, encodeUtf8(text))
    const sizes = createCosignedSizes(register, 'log')
    t.equal((await refusal(() => sizes.get('w'))).code, 'integrity', text)
  }
})
