import { type NativeAddon, nativeAddon } from '../../src/keys/native-addon.js'

/**
 * The addon, which `npm ci` builds. Set TEST_WITHOUT_NATIVE=1 on a machine that has no compiler or no headers of Node: the tests
 * of the addon are then skipped, and say so. Anywhere else an addon that is not there is a failure.
 */
export function addonUnderTest(): NativeAddon | undefined {
  const addon = nativeAddon()
  if (addon === undefined && process.env['TEST_WITHOUT_NATIVE'] !== '1') {
    throw new Error(
      'the native addon was not built: run npm run build:native, or set TEST_WITHOUT_NATIVE=1 where that is impossible'
    )
  }
  return addon
}
