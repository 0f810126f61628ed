import type { App } from 'vue'

/** What the table of options takes for given. */
export declare const app: App
