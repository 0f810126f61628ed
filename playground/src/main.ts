import { createPinia } from 'pinia'
import { createPgflow } from 'pinia-pgflow'
import { createApp } from 'vue'
import { ensureGuest } from './account.ts'
import App from './App.vue'
import { createPlaygroundRouter } from './router.ts'
import { createPlaygroundClient, isEmbedded, supabaseKey } from './supabase.ts'
import { readVisibility, visibilityKey } from './visibility.ts'
import './styles/base.css'
import './styles/cards.css'
import './styles/forms.css'

async function start(): Promise<void> {
  const supabase = createPlaygroundClient()
  const [visibility] = await Promise.all([
    readVisibility(supabase),
    // A project of one's own may not let guests in.
    isEmbedded ? ensureGuest(supabase) : undefined,
  ])
  createApp(App)
    .use(createPinia())
    .use(createPgflow({ supabase, private: visibility === 'private' }))
    .use(createPlaygroundRouter())
    .provide(supabaseKey, supabase)
    .provide(visibilityKey, visibility)
    .mount('#app')
}

void start()
