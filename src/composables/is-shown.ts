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
 * Whether the current component is shown: not while a `<KeepAlive>` keeps it inactive. Always true
 * outside of components, and in scopes that outlive the component, such as that of a store.
 *
 * @param isAtMount - whether it counts as shown only once it is mounted.
 */
export function trackShown(isAtMount: boolean): Readonly<ShallowRef<boolean>> {
  const instance = getCurrentInstance()
  const isShown = shallowRef(!isAtMount)
  const show = () => void (isShown.value = true)
  if (isAtMount) onMounted(show)
  if (instance && endsWith(instance)) {
    // It may be mounted while a `<KeepAlive>` around it is inactive.
    if (isKept(instance)) isShown.value = false
    // If it is deactivated before it is mounted, only this hook is called.
    onActivated(show)
    onDeactivated(() => void (isShown.value = false))
  }
  return isShown
}

function isKept(instance: ComponentInternalInstance | null): boolean {
  return instance !== null && (instance.isDeactivated || isKept(instance.parent))
}

/** Whether the current scope ends with the component: it is the component's own, or inside it. */
function endsWith(instance: ComponentInternalInstance): boolean {
  // Vue sets both at run time, but not in its types.
  const own: unknown = Reflect.get(instance, 'scope')
  let scope: unknown = getCurrentScope()
  while (scope instanceof EffectScope && scope !== own) {
    scope = scope.detached ? undefined : Reflect.get(scope, 'parent')
  }
  return scope !== undefined
}
