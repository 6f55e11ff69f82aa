import { concatBytes } from '../encoding/bytes.js'
import { bigIntToBytes, bytesToBigInt } from '../encoding/der.js'
import { encodeUtf8 } from '../encoding/text.js'
import { LogError } from '../errors.js'

/** Reads the types of the SSH wire format one after the other. @see RFC 4251 section 5 */
export interface SshReader {
  readonly remaining: number
  uint32(): number
  /** Exactly `length` bytes. */
  bytes(length: number): Uint8Array
  /** uint32 length and that many bytes. */
  string(): Uint8Array
  /** A string as text, one character a byte: names and labels, compared and never shown. */
  text(): string
  /** A non-negative mpint in its shortest form. */
  unsignedMpint(): bigint
  /** @throws LogError `invalid_request` unless everything was read */
  end(): void
}

/** Every function of it throws LogError `invalid_request` when the input ends early. */
export function createSshReader(input: Uint8Array): SshReader {
  let offset = 0

  function bytes(length: number): Uint8Array {
    if (length > input.length - offset) throw new LogError('invalid_request', 'ssh: short read')
    offset += length
    return input.subarray(offset - length, offset)
  }

  function uint32(): number {
    return bytes(4).reduce((value, byte) => value * 256 + byte, 0)
  }

  return {
    get remaining() {
      return input.length - offset
    },
    uint32,
    bytes,
    string: () => bytes(uint32()),
    text: () => String.fromCharCode(...limited(bytes(uint32()))),
    unsignedMpint() {
      const encoded = bytes(uint32())
      const [first, second = 0] = encoded
      if (first !== undefined && (first >= 0x80 || (first === 0 && second < 0x80))) {
        throw new LogError('invalid_request', 'ssh: mpint negative or not in its shortest form')
      }
      return bytesToBigInt(encoded)
    },
    end() {
      if (offset < input.length) throw new LogError('invalid_request', 'ssh: trailing data')
    }
  }
}

/** uint32 in four bytes. */
export function encodeSshUint32(value: number): Uint8Array {
  return bigIntToBytes(BigInt(value), 4)
}

/** Bytes, or UTF-8 of a text, with their length before them. */
export function encodeSshString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? encodeUtf8(value) : value
  return concatBytes(encodeSshUint32(bytes.length), bytes)
}

/** mpint of a number above zero. */
export function encodeSshMpint(value: bigint): Uint8Array {
  // One bit more than the number has, for the sign.
  return encodeSshString(bigIntToBytes(value, Math.ceil((value.toString(2).length + 1) / 8)))
}

/** Longest name the protocol and its extensions use, with room. */
const MAX_NAME_BYTES = 1024

function limited(name: Uint8Array): Uint8Array {
  if (name.length > MAX_NAME_BYTES) {
    throw new LogError('invalid_request', `ssh: name longer than ${MAX_NAME_BYTES} bytes`)
  }
  return name
}
