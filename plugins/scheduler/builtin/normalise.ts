import { maxScore } from '../framework/types.ts'

/** Stretches scores so that the highest is maxScore; all zero stay so. Changes `scores`. */
export function normalise(scores: number[]): void {
  const max = Math.max(0, ...scores)
  if (!max) return
  for (const [index, score] of scores.entries()) scores[index] = Math.floor((maxScore * score) / max)
}

/** As `normalise`, but the lowest count scores best; where all are zero, all are best. Changes `scores`. */
export function normaliseReversed(scores: number[]): void {
  normalise(scores)
  for (const [index, score] of scores.entries()) scores[index] = maxScore - score
}
