/** What everything above the store hashes trees with. */
export { sha256 } from '../keys/sha256.js'
