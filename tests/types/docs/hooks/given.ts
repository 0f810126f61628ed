import type { Router } from 'vue-router'

/** What the guide about hooks takes for given. */
export declare const router: Router
export declare const refreshMyList: () => void
