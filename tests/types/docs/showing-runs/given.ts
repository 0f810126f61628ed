import type { Component } from 'vue'

export { createRouter, createWebHistory } from 'vue-router'

/** What the guide about showing runs takes for given. */
export declare const RunPage: Component
