import { useFlow, usePgflowStore } from 'pinia-pgflow'

// What the registry of the README makes of the types, in an app that has the package installed.
const { start, steps } = useFlow('analyze_text')
void start({ text: 'one two' })
for (const step of steps.value) {
  const slug: 'words' | 'lengths' | 'summary' = step.step_slug
  void slug
}
const store = usePgflowStore()
void store.startFlow('analyze_text', { text: 'one' })

// @ts-expect-error -- no flow has this name
useFlow('analyse_text')
// @ts-expect-error -- its input is a text
void start({ words: 1 })
// @ts-expect-error -- no flow has this name
void store.startFlow('analyse_text', { text: 'one' })
