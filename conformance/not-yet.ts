/**
 * Cases that this version does not pass, by name, and what they wait for. They are run all the same, and one that passes
 * must leave this list.
 */
export const notYet: ReadonlyMap<string, string> = new Map()
