import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

/** Whom a token is about. */
export interface Account {
  readonly sub: string
  readonly email?: string
  /** True unless told otherwise. */
  readonly emailVerified?: boolean
}

/** A real OpenID provider on the loopback, for the length of a test. */
export interface RunningProvider {
  /** Its issuer URL. */
  readonly issuer: string
  /**
   * An ID token, got as a browser would: authorization code with PKCE, login, consent, token.
   *
   * @param clientId whom it is for: `sigstore`, or the other client
   */
  idToken(account: Account, clientId?: string): Promise<string>
  close(): Promise<void>
}

const REDIRECT_URI = 'http://127.0.0.1/callback'

/** What Sigstore's clients call themselves, and so the audience of the tokens. */
const CLIENT_ID = 'sigstore'

/** A client of the same provider that has nothing to do with signing. */
export const OTHER_CLIENT_ID = 'wiki'

/** Starts the provider. */
export async function startOidcProvider(
  algorithm: 'RS256' | 'ES256' = 'RS256'
): Promise<RunningProvider> {
  const accounts = new Map<string, Account>()
  const server = createServer().listen(0, '127.0.0.1')
  server.unref() // a test that fails early must not wait for it
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  const issuer = `http://127.0.0.1:${address.port}`
  const provider = quietly(
    () =>
      new Provider(issuer, {
        clients: [CLIENT_ID, OTHER_CLIENT_ID].map((client_id) => ({
          client_id,
          application_type: 'native',
          redirect_uris: [REDIRECT_URI],
          response_types: ['code'],
          grant_types: ['authorization_code'],
          token_endpoint_auth_method: 'none',
          id_token_signed_response_alg: algorithm
        })),
        jwks: { keys: [signingKey(algorithm)] },
        cookies: { keys: [randomBytes(16).toString('hex')] },
        claims: { openid: ['sub'], email: ['email', 'email_verified'] },
        conformIdTokenClaims: false,
        findAccount: (_context: unknown, sub: string) => {
          const account = accounts.get(sub)
          return {
            accountId: sub,
            claims: async () => ({
              sub,
              ...(account?.email === undefined
                ? {}
                : { email: account.email, email_verified: account.emailVerified ?? true })
            })
          }
        },
        ttl: { IdToken: 600, AccessToken: 600, Interaction: 600, Session: 600, Grant: 600 }
      })
  )
  server.on('request', provider.callback())
  return {
    issuer,
    idToken: async (account, clientId = CLIENT_ID) => {
      accounts.set(account.sub, account)
      return signIn(issuer, account.sub, clientId)
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  }
}

function signingKey(algorithm: 'RS256' | 'ES256'): object {
  const { privateKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: algorithm, kid: algorithm }
}

/** A browser: keeps cookies, follows redirects until one leads to the client, fills in the two forms on the way. */
async function signIn(issuer: string, login: string, clientId: string): Promise<string> {
  const cookies = new Map<string, string>()
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    scope: 'openid email',
    redirect_uri: REDIRECT_URI,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    nonce: randomBytes(8).toString('hex')
  })
  let form: string | undefined
  let url = `${issuer}/auth?${query.toString()}`
  for (let steps = 0; steps < 12; steps++) {
    const answer = await fetch(url, {
      redirect: 'manual',
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' })
      },
      ...(form === undefined ? {} : { method: 'POST', body: form })
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    form = undefined
    if (location === null) {
      const page = await answer.text()
      const prompt = /name="prompt" value="(login|consent)"/.exec(page)?.[1]
      if (prompt === undefined) throw new Error(`sign-in: ${answer.status} ${page.slice(0, 300)}`)
      form = new URLSearchParams({ prompt, login, password: 'any' }).toString()
      continue
    }
    const next = new URL(location, url)
    if (next.href.startsWith(REDIRECT_URI)) {
      return exchange(issuer, clientId, next.searchParams.get('code') ?? '', verifier)
    }
    url = next.href
  }
  throw new Error('sign-in: no end of redirects')
}

async function exchange(
  issuer: string,
  clientId: string,
  code: string,
  verifier: string
): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
      code
    })
  })
  const body = (await answer.json()) as { id_token?: string }
  if (body.id_token === undefined) throw new Error(`token endpoint: ${JSON.stringify(body)}`)
  return body.id_token
}

/** The provider warns on the console that its sign-in pages are not for production, which would spoil a test's output. */
function quietly<T>(action: () => T): T {
  const { warn, info } = console
  console.warn = console.info = () => undefined
  try {
    return action()
  } finally {
    console.warn = warn
    console.info = info
  }
}
