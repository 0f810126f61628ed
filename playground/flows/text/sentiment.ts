import { countBy, round, wordsOf } from './words.ts'

/** How a text sounds. */
export type Sentiment = {
  mood: 'positive' | 'negative' | 'mixed' | 'neutral'
  /** From -1, all bad, to 1, all good. */
  score: number
  positive: string[]
  negative: string[]
}

/** How far back a "not" still turns a word around. */
const reach = 3

/** Counts words with a good or a bad ring; a negation before one turns it around. */
export function findSentiment(text: string): Sentiment {
  const words = wordsOf(text)
  const positive: string[] = []
  const negative: string[] = []
  words.forEach((word, index) => {
    const isGood = good.has(word)
    if (!isGood && !bad.has(word)) return
    const before = words.slice(Math.max(0, index - reach), index)
    const negation = before.findLast((each) => negations.has(each))
    const found = isGood !== (negation !== undefined) ? positive : negative
    found.push(negation === undefined ? word : `${negation} … ${word}`)
  })
  const total = positive.length + negative.length
  const score = total === 0 ? 0 : round((positive.length - negative.length) / total, 2)
  return {
    mood: moodOf(score, total),
    score,
    positive: countBy(positive).map(withCount),
    negative: countBy(negative).map(withCount),
  }
}

function moodOf(score: number, total: number): Sentiment['mood'] {
  if (total === 0) return 'neutral'
  if (score > 0.2) return 'positive'
  return score < -0.2 ? 'negative' : 'mixed'
}

function withCount([word, count]: [string, number]): string {
  return count === 1 ? word : `${word} ×${count}`
}

const listOf = (words: string) => new Set(words.split(/\s+/))

const negations = listOf(
  "no not never neither nor none nothing hardly barely without isn't wasn't aren't weren't don't doesn't didn't can't cannot couldn't won't wouldn't shouldn't hasn't haven't hadn't",
)

const good = listOf(
  `admire amazing beautiful benefit best better bright calm celebrate charming cheerful clean clear
  comfortable confident cosy delicious delight delighted delightful easy effective elegant enjoy
  enjoyed excellent excited exciting fair fast faster favourite fine fortunate free fresh friendly fun
  generous gentle glad good graceful grateful great happier happy healthy helpful honest hope hopeful
  improve improved improvement impressive inspire inspiring joy keen kind like liked love loved lovely
  lucky neat nice outstanding patient peace peaceful perfect pleasant pleased pleasure polite popular
  positive powerful praise pretty proud quick quiet recommend reliable relief right safe satisfied
  simple smart smile smooth solid strong success successful superb support tasty thank thanks thrilled
  trust useful valuable warm welcome well wise won wonderful worth`,
)

const bad = listOf(
  `abandoned afraid angry annoyed annoying anxious ashamed awful awkward bad bitter bleak blame boring
  broke broken bug bugs careless chaos cold complain complaint complicated confused confusing costly
  crash crashed cruel cry damage damaged danger dangerous dead delay delayed difficult dirty
  disappointed disappointing disaster doubt dreadful dull empty error errors expensive fail failed
  failing failure fault fear frustrated frustrating grief guilty harm harsh hate hated horrible hostile
  hurt impossible inferior late lazy lonely lose losing loss lost mess messy miserable misery missing
  mistake mistakes negative nervous noisy painful panic poor problem problems regret rude sad scared
  sick slow sorry stress stressful stuck stupid suffer terrible tired tragic trouble ugly unfair
  unfortunately unhappy unpleasant unreliable upset useless waste weak weary worried worry worse worst
  wrong`,
)
