import { Flow } from '@pgflow/dsl'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { connect } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  (input) => `Hello ${input.run.name}`,
)

const fixture = useBackend([Greet])

describe('an anonymous sign-in', () => {
  it('makes a user with an id, a role and no address', async () => {
    const supabase = connect(fixture.backend)
    const { data, error } = await supabase.auth.signInAnonymously({ options: { data: { hue: 7 } } })
    expect(error).toBeNull()
    expect(data.user).toMatchObject({
      is_anonymous: true,
      email: '',
      role: 'authenticated',
      app_metadata: {},
      user_metadata: { hue: 7 },
      identities: [],
    })
    expect(decodeJwt(data.session?.access_token ?? '')).toMatchObject({
      sub: data.user?.id,
      role: 'authenticated',
      is_anonymous: true,
      email: '',
      amr: [{ method: 'anonymous' }],
    })
    expect((await supabase.auth.getUser()).data.user).toMatchObject({
      id: data.user?.id,
      is_anonymous: true,
      user_metadata: { hue: 7 },
    })
  })

  it('stays anonymous when its token is refreshed', async () => {
    const supabase = connect(fixture.backend)
    const { data } = await supabase.auth.signInAnonymously()
    const refreshed = await supabase.auth.refreshSession()
    expect(refreshed.error).toBeNull()
    expect(refreshed.data.user).toMatchObject({ id: data.user?.id, is_anonymous: true })
    const token = refreshed.data.session?.access_token ?? ''
    expect((await fixture.backend.keys.verify(token)).ok).toBe(true)
    expect(decodeJwt(token)).toMatchObject({ sub: data.user?.id, is_anonymous: true })
  })

  it('is over when it is signed out of: nobody signs in to it again', async () => {
    const supabase = connect(fixture.backend)
    const { data } = await supabase.auth.signInAnonymously()
    const token = data.session?.refresh_token ?? ''
    expect((await supabase.auth.signOut()).error).toBeNull()
    const again = await supabase.auth.refreshSession({ refresh_token: token })
    expect(again.error?.status).toBe(400)
  })

  it('owns the runs it starts, and no other guest sees them', async () => {
    const [one, other] = [connect(fixture.backend), connect(fixture.backend)]
    await one.auth.signInAnonymously()
    await other.auth.signInAnonymously()
    const start = { p_flow_slug: 'greet', p_input: { name: 'Ada' }, p_run_id: crypto.randomUUID() }
    const api = one.schema('pgflow_client')
    expect((await api.rpc('start_flow_with_states', start)).error).toBeNull()
    expect((await api.rpc('list_runs')).data).toHaveLength(1)
    expect((await other.schema('pgflow_client').rpc('list_runs')).data).toEqual([])
  })

  it('leaves those who sign up with an address as they are', async () => {
    const supabase = connect(fixture.backend)
    const { data } = await supabase.auth.signUp({
      email: 'ada@example.com',
      password: 'long enough',
    })
    expect(data.user).toMatchObject({ email: 'ada@example.com', is_anonymous: false })
    expect(decodeJwt(data.session?.access_token ?? '')).not.toMatchObject({ is_anonymous: true })
  })

  it.each(['', '[]', '{"email":', '"text"'])(
    'takes no user from a body such as %j',
    async (body) => {
      const response = await fetch(`${fixture.backend.url}/auth/v1/signup`, {
        method: 'POST',
        headers: { apikey: fixture.backend.anonKey, 'content-type': 'application/json' },
        body,
      })
      expect([400, 422]).toContain(response.status)
      expect(await response.json()).not.toHaveProperty('access_token')
    },
  )
})
