/** What a node of the inspector's tree stands for. */
export type NodeSubject =
  | { type: 'sync' }
  | { type: 'flow'; flowSlug: string }
  | { type: 'run'; runId: string }
  | { type: 'step'; runId: string; stepSlug: string }
  | { type: 'lists' }
  | { type: 'list'; key: string }
  /** Runs that are not in the tree, or not in the store. */
  | { type: 'note' }

/** The id of a node, from which the node can be parsed again. */
export function nodeIdOf(subject: NodeSubject): string {
  switch (subject.type) {
    case 'flow':
      return `flow:${subject.flowSlug}`
    case 'run':
      return `run:${subject.runId}`
    case 'step':
      return `step:${subject.runId}/${subject.stepSlug}`
    case 'list':
      return `list:${subject.key}`
    default:
      return `${subject.type}:`
  }
}

/** The node of an id; `note` for any other id. */
export function subjectOf(nodeId: string): NodeSubject {
  const colon = nodeId.indexOf(':')
  const type = nodeId.slice(0, colon)
  const rest = nodeId.slice(colon + 1)
  const slash = rest.indexOf('/')
  switch (type) {
    case 'sync':
    case 'lists':
      return { type }
    case 'flow':
      return { type, flowSlug: rest }
    case 'run':
      return { type, runId: rest }
    case 'step':
      return { type, runId: rest.slice(0, slash), stepSlug: rest.slice(slash + 1) }
    case 'list':
      return { type, key: rest }
    default:
      return { type: 'note' }
  }
}
