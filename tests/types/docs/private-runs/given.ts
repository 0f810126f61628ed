import type { Router } from 'vue-router'

/** What the guide about private runs takes for given. */
export declare const getToken: () => Promise<string>
export declare const router: Router
