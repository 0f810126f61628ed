import { createPinia } from 'pinia'
import { createPgflow } from 'pinia-pgflow'
import { createApp } from 'vue'
import { ensureGuest } from './account.ts'
import App from './App.vue'
import { createFaultTools } from './faults/index.ts'
import { createPlaygroundRouter } from './router.ts'
import { createPlaygroundClient, isEmbedded, supabaseKey } from './supabase.ts'
import { readVisibility, visibilityKey } from './visibility.ts'
import 'pinia-pgflow/components.css'
import './styles/base.css'
import './styles/tones.css'
import './styles/cards.css'
import './styles/forms.css'

const anonKey = import.meta.env.VITE_SUPABASE_ANON_KEY

async function start(): Promise<void> {
  const supabase = createPlaygroundClient()
  const { auth } = supabase
  const [visibility] = await Promise.all([
    readVisibility(supabase),
    // A project of one's own may not let guests in.
    isEmbedded ? ensureGuest(supabase) : undefined,
  ])
  const faults = isEmbedded ? createFaultTools({ url: location.origin, anonKey, auth }) : null
  const pgflow = createPgflow({
    supabase,
    private: visibility === 'private',
    ...(faults && { trace: faults.trace }),
  })
  const app = createApp(App)
    .use(createPinia())
    .use(pgflow)
    .use(createPlaygroundRouter())
    .provide(supabaseKey, supabase)
    .provide(visibilityKey, visibility)
  if (faults) app.use(faults)
  app.mount('#app')
}

void start()
