/**
 * Cases that this version does not pass, by name, and what they wait for. They are run all the same, and one that passes
 * must leave this list.
 */
const celRules = 'CEL'

export const notYet: ReadonlyMap<string, string> = new Map([
  ['crd: a rule that does not compile is refused with the definition', celRules],
  ['crd: a rule decides, also over time', celRules],
])
