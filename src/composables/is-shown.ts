import {
  EffectScope,
  getCurrentInstance,
  getCurrentScope,
  onActivated,
  onDeactivated,
  onMounted,
  shallowRef,
  type ComponentInternalInstance,
  type ShallowRef,
} from 'vue'

/**
 * Whether the component that is being set up is shown: not while a `<KeepAlive>` keeps it for later.
 * Always true where there is no component, or where the scope lives longer than it, as that of a
 * store.
 *
 * @param isAtMount - whether it counts as shown only when it is mounted.
 */
export function trackShown(isAtMount: boolean): Readonly<ShallowRef<boolean>> {
  const instance = getCurrentInstance()
  const isShown = shallowRef(!isAtMount)
  const show = () => void (isShown.value = true)
  if (isAtMount) onMounted(show)
  if (instance && endsWith(instance)) {
    // It may be added to a page that is not shown.
    if (isKept(instance)) isShown.value = false
    // Also where it was left before it was mounted: then only this is called.
    onActivated(show)
    onDeactivated(() => void (isShown.value = false))
  }
  return isShown
}

function isKept(instance: ComponentInternalInstance | null): boolean {
  return instance !== null && (instance.isDeactivated || isKept(instance.parent))
}

/** Whether the current scope ends with the component: it is that of the component, or inside it. */
function endsWith(instance: ComponentInternalInstance): boolean {
  // Vue sets both at run time, and leaves them out of its types.
  const own: unknown = Reflect.get(instance, 'scope')
  let scope: unknown = getCurrentScope()
  while (scope instanceof EffectScope && scope !== own) {
    scope = scope.detached ? undefined : Reflect.get(scope, 'parent')
  }
  return scope !== undefined
}
