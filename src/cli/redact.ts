const shown = '[hidden]'

/** Texts that look like a secret, in any project. */
const looksSecret: readonly RegExp[] = [
  // JSON Web Tokens: the keys and access tokens of Supabase.
  /\beyJ[\w-]{8,}(\.[\w-]*){0,2}/g,
  /\bsb_(secret|publishable|temp)_[\w-]+/g,
  /\bsbp_\w+/g,
]

/** The password of an address, as in postgres://user:password@host. */
const passwordInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@]+(?=@)/gi

/** Removes secrets from text: the given ones, and those that look like one. */
export function createRedactor() {
  const secrets = new Set<string>()
  return {
    hide(...values: (string | undefined)[]): void {
      for (const value of values) {
        for (const form of formsOf(value ?? '')) secrets.add(form)
      }
    },
    redact(text: string): string {
      // The longest first: one may be part of another.
      const known = [...secrets].sort((one, other) => other.length - one.length)
      const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, shown), text)
      const withoutPasswords = withoutKnown.replace(passwordInUrl, `$1${shown}`)
      return looksSecret.reduce((rest, pattern) => rest.replace(pattern, shown), withoutPasswords)
    },
  }
}

/** A secret as it may be written in a message: as it is, inside a URL, inside JSON. */
function formsOf(secret: string): string[] {
  const forms = [secret, secret.trim(), ...inUrls(secret)]
  // Shorter secrets could be parts of ordinary words.
  return forms
    .flatMap((form) => [form, JSON.stringify(form).slice(1, -1)])
    .filter((form) => form.length >= 4)
}

function inUrls(secret: string): string[] {
  try {
    return [encodeURIComponent(secret), decodeURIComponent(secret)]
  } catch {
    // It has no such form.
    return []
  }
}
