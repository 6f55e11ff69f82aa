import { equalBytes } from '../../src/encoding/bytes.js'
import type { Register } from '../../src/store/log-store.js'

/** A register in memory. */
export interface MemoryRegister extends Pick<Register, 'read' | 'swap'> {
  readonly cells: Map<string, Uint8Array>
  /** Called before each swap: what happens meanwhile. */
  beforeSwap: (key: string) => void | Promise<void>
}

export function memoryRegister(): MemoryRegister {
  const cells = new Map<string, Uint8Array>()
  const register: MemoryRegister = {
    cells,
    beforeSwap: () => {},
    read: async (key) => cells.get(key),
    async swap(key, expected, next) {
      await register.beforeSwap(key)
      const now = cells.get(key)
      const isExpected =
        now === undefined || expected === undefined ? now === expected : equalBytes(now, expected)
      if (isExpected) cells.set(key, next)
      return isExpected
    }
  }
  return register
}
