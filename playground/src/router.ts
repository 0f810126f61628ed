import { nextTick } from 'vue'
import { createRouter, createWebHistory, type Router } from 'vue-router'
import AccountPage from './pages/AccountPage.vue'
import FlowsPage from './pages/FlowsPage.vue'
import NotFoundPage from './pages/NotFoundPage.vue'
import RunPage from './pages/RunPage.vue'
import RunsPage from './pages/RunsPage.vue'

declare module 'vue-router' {
  interface RouteMeta {
    title: string
  }
}

/** The pages, each at an address of its own. */
export function createPlaygroundRouter(): Router {
  const router = createRouter({
    history: createWebHistory(import.meta.env.BASE_URL),
    routes: [
      { path: '/', name: 'flows', component: FlowsPage, meta: { title: 'Start a flow' } },
      { path: '/runs', name: 'runs', component: RunsPage, meta: { title: 'Your runs' } },
      {
        path: '/runs/:runId',
        name: 'run',
        component: RunPage,
        props: true,
        meta: { title: 'A run' },
      },
      { path: '/account', name: 'account', component: AccountPage, meta: { title: 'Account' } },
      { path: '/:path(.*)*', component: NotFoundPage, meta: { title: 'Not found' } },
    ],
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is experimental
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? {} : { top: 0 }),
  })
  router.afterEach((to, from, failure) => {
    if (failure) return
    document.title = `${to.meta.title} · pinia-pgflow playground`
    // Not on the first page, where the browser puts the focus, nor when only a filter changed.
    if (from.matched.length > 0 && from.path !== to.path) void focusHeading()
  })
  return router
}

/** Tells who cannot see it that the page has changed. A page that wants the focus elsewhere has it. */
async function focusHeading(): Promise<void> {
  await nextTick()
  const hasFocus = document.querySelector('main')?.contains(document.activeElement)
  if (!hasFocus) document.querySelector<HTMLElement>('main h1')?.focus()
}
