import { createClient } from '@supabase/supabase-js'
import { createPinia } from 'pinia'
import { createPgflow } from 'pinia-pgflow'
import { createApp } from 'vue'
import App from './App.vue'
import './styles/base.css'

const { VITE_SUPABASE_URL, VITE_SUPABASE_ANON_KEY } = import.meta.env
const supabase = createClient(VITE_SUPABASE_URL ?? location.origin, VITE_SUPABASE_ANON_KEY)

createApp(App).use(createPinia()).use(createPgflow({ supabase })).mount('#app')
