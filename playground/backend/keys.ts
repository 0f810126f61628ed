import { randomBytes } from 'node:crypto'
import { SignJWT, decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose'

/** The claims every Supabase token carries, and whatever else it does. */
export interface Claims extends JWTPayload {
  role: string
  exp: number
}

/** Why a token was refused; the wording is Supabase Realtime's own. */
export type TokenFault =
  | { code: 'MalformedJWT' | 'JwtSignatureError'; message: string }
  | { code: 'InvalidJWTToken'; message: string }

export type TokenCheck = { ok: true; claims: Claims } | { ok: false; fault: TokenFault }

/** Signs and checks the tokens of one backend. */
export interface Keys {
  readonly secret: string
  readonly anonKey: string
  readonly serviceRoleKey: string
  sign(claims: Record<string, unknown> & { role: string; exp: number }): Promise<string>
  verify(token: string): Promise<TokenCheck>
}

const tenYears = 10 * 365 * 24 * 3600

/**
 * Makes the keys of a backend. Without a secret a random one is taken: any page the developer has
 * open can reach the loopback port, and only the page that was given the key may use it.
 */
export async function createKeys(secret = randomBytes(32).toString('hex')): Promise<Keys> {
  const key = new TextEncoder().encode(secret)
  const sign: Keys['sign'] = (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key)
  const issue = (role: string) => {
    const iat = Math.floor(Date.now() / 1000)
    return sign({ iss: 'pinia-pgflow-embedded', role, iat, exp: iat + tenYears })
  }
  return {
    secret,
    anonKey: await issue('anon'),
    serviceRoleKey: await issue('service_role'),
    sign,
    verify: (token) => verify(token, key),
  }
}

async function verify(token: string, key: Uint8Array): Promise<TokenCheck> {
  if (!isJwt(token)) {
    return refuse('MalformedJWT', 'The token provided is not a valid JWT')
  }
  try {
    const { payload } = await jwtVerify(token, key, { algorithms: ['HS256'] })
    return hasRequiredClaims(payload) ? { ok: true, claims: payload } : missingClaims()
  } catch (error) {
    if (error instanceof errors.JWTExpired) return expired(error.payload)
    return refuse('JwtSignatureError', 'Failed to validate JWT signature')
  }
}

/** What the real server says about a token whose time is over. */
export function expired(claims: JWTPayload): TokenCheck {
  const seconds = Math.max(0, Math.floor(Date.now() / 1000) - (claims.exp ?? 0))
  return refuse('InvalidJWTToken', `Token has expired ${seconds} seconds ago`)
}

function missingClaims(): TokenCheck {
  return refuse('InvalidJWTToken', 'Fields `role` and `exp` are required in JWT')
}

function refuse(code: TokenFault['code'], message: string): TokenCheck {
  return { ok: false, fault: { code, message } }
}

function isJwt(token: string): boolean {
  try {
    decodeProtectedHeader(token)
    decodeJwt(token)
    return true
  } catch {
    return false
  }
}

function hasRequiredClaims(payload: JWTPayload): payload is Claims {
  return typeof payload.role === 'string' && typeof payload.exp === 'number'
}
