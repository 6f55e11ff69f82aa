/**
 * Texts that clients of timestamp authorities know. Those about the digest stand where digests are read.
 * @see ct-and-tsa §C1
 */
export const TSA_MESSAGES = {
  general: 'Error generating timestamp response',
  policy: 'unaccepted policy: requested TSA policy is not supported by the TSA',
  extension: 'unaccepted extension: requested extensions are not supported by the TSA',
  policyForm: 'OID should be comprised of at most 128 components',
  tooLarge: 'timestamp request is too large'
} as const
