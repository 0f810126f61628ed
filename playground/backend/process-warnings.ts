let isMended = false

/**
 * `@supabase/lite/pglite` puts a function in place of `process.emitWarning` that takes every warning
 * for a text. Node also passes an `Error`, as for many listeners on one signal: whoever adds the
 * eleventh would get a `TypeError`. To be called once that package is loaded.
 */
export function allowErrorsAsWarnings(): void {
  if (isMended) return
  isMended = true
  const emit = process.emitWarning.bind(process)
  const emitWarning = (warning: string | Error, ...rest: []) => {
    if (typeof warning === 'string') emit(warning, ...rest)
    // What Node does with it; after what goes on, as a listener may throw.
    else process.nextTick(() => process.emit('warning', warning))
  }
  process.emitWarning = emitWarning
}
