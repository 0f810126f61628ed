import { createBrowserClient, createServerClient, parseCookieHeader } from '@supabase/ssr'
import { getHeader, setCookie, setResponseHeaders, type H3Event } from 'h3'

export default definePgflowSetup(() => {
  const { supabaseUrl, supabaseKey } = useRuntimeConfig().public
  const event = useRequestEvent()
  return {
    supabase: event
      ? serverClient(supabaseUrl, supabaseKey, event)
      : createBrowserClient(supabaseUrl, supabaseKey),
  }
})

function serverClient(url: string, key: string, event: H3Event) {
  return createServerClient(url, key, {
    cookies: {
      getAll: () =>
        parseCookieHeader(getHeader(event, 'cookie') ?? '').map(({ name, value = '' }) => ({
          name,
          value,
        })),
      setAll: (cookies, headers) => {
        for (const { name, value, options } of cookies) setCookie(event, name, value, options)
        // Else a cache could give the token of one user to another.
        setResponseHeaders(event, headers)
      },
    },
  })
}
