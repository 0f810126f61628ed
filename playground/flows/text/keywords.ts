import { countBy, round, wordsOf } from './words.ts'

/** What a text is about. */
export type Keywords = {
  /** The most frequent words that carry meaning; `percent` is of all words. */
  keywords: { word: string; count: number; percent: number }[]
  /** Pairs of neighbouring words that occur more than once. */
  phrases: string[]
}

const shown = 8

/** Finds the words, and pairs of words, that a text uses most. */
export function findKeywords(text: string): Keywords {
  const words = wordsOf(text)
  const meaningful = words.filter(isMeaningful)
  const pairs = words.slice(1).flatMap((word, index) => {
    const previous = words[index]
    return previous && isMeaningful(previous) && isMeaningful(word) ? [`${previous} ${word}`] : []
  })
  return {
    keywords: countBy(meaningful)
      .slice(0, shown)
      .map(([word, count]) => ({ word, count, percent: round((count / words.length) * 100) })),
    phrases: countBy(pairs)
      .filter(([, count]) => count > 1)
      .slice(0, shown)
      .map(([phrase]) => phrase),
  }
}

/** Whether a word, in lower case, says something by itself. */
export function isMeaningful(word: string): boolean {
  return word.length > 2 && !stopWords.has(word)
}

/** English words that say little by themselves. */
const stopWords = new Set(
  `a about above after again against all also although always am among an and any are aren't around
  as at be became because been before being below between both but by came can can't cannot come
  could couldn't did didn't do does doesn't doing don't done down during each either else even ever
  every few first for from further get gets give given go goes going gone got had hadn't has hasn't
  have haven't having he her here hers herself him himself his how however i if in into is isn't it
  it's its itself just kept last least less let let's like made make many may me might more most much
  must my myself neither never next no nor not now of off often on once one only onto or other our
  ours ourselves out over own perhaps put quite rather really said same say says see seen shall she
  should shouldn't since so some still such take than that that's the their theirs them themselves
  then there there's these they they're this those though three through thus to too two under until
  up upon us use used very was wasn't we we're well went were weren't what when where whether which
  while who whom whose why will with within without won't would wouldn't yet you you're your yours
  yourself yourselves`.split(/\s+/),
)
