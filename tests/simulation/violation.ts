/** The themes of what must hold. */
export type Rule =
  | 'truth'
  | 'taken-back'
  | 'changes'
  | 'calls'
  | 'requests'
  | 'channels'
  | 'followed'
  | 'late'
  | 'lists'
  | 'left'
  | 'state'
  | 'cost'
  | 'private'
  | 'complaint'

/** Something that must hold and did not. */
export interface Violation {
  rule: Rule
  /** In virtual ms. */
  at: number
  text: string
}

/** Reports that a promise was broken. */
export type Violate = (rule: Rule, text: string) => void
