/**
 * Texts that clients of Fulcio look for. What exactly was wrong stands beside them: for a token in the message of the
 * LogError (code `unauthenticated`), for a key or signature in its `details.reason`.
 *
 * @see fulcio §5
 */
export const CLIENT_MESSAGES = {
  identityToken: 'There was an error processing the identity token',
  publicKey: 'The public key supplied in the request could not be parsed',
  insecurePublicKey: 'The public key supplied in the request is insecure',
  signature: 'The signature supplied in the request could not be verified',
  certificateRequest: 'The certificate signing request could not be parsed'
} as const
