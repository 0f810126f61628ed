import { expired, type Claims, type Keys, type TokenCheck } from './keys.ts'

/**
 * Checks the tokens that say who somebody is, and can let all of them end before their time, as if
 * they had been made for a shorter one. API keys, as keys, are not affected.
 */
export class Tokens {
  readonly #keys: Keys
  readonly #watchers = new Set<() => void>()
  /** When those end that were issued before, in seconds since 1970. */
  #end: number | undefined

  constructor(keys: Keys) {
    this.#keys = keys
  }

  get areExpired(): boolean {
    return this.#end !== undefined
  }

  /**
   * Lets all tokens that were issued until now end with this second, as an `exp` can say. What is
   * issued later is good.
   */
  expire(): void {
    this.#set(Math.floor(Date.now() / 1_000) + 1)
  }

  /** Gives tokens the end back that they were signed with. */
  restore(): void {
    this.#set(undefined)
  }

  async verify(token: string): Promise<TokenCheck> {
    const check = await this.#keys.verify(token)
    return check.ok && this.endOf(check.claims) * 1_000 <= Date.now()
      ? this.#refuse(check.claims)
      : check
  }

  /** When a token ends, in seconds since 1970. */
  endOf({ iat = 0, exp }: Claims): number {
    return this.#end !== undefined && iat < this.#end ? Math.min(exp, this.#end) : exp
  }

  /** Calls `onChange` when tokens may end at another time, until the returned function is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  #refuse(claims: Claims): TokenCheck {
    return expired({ ...claims, exp: this.endOf(claims) })
  }

  #set(end: number | undefined): void {
    this.#end = end
    for (const onChange of [...this.#watchers]) onChange()
  }
}
