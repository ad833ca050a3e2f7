/**
 * Cases that this version does not pass, by name, and what they wait for. They are run all the same, and one that passes
 * must leave this list.
 */
const serverSideApply = 'server-side apply'
const celRules = 'CEL'

export const notYet: ReadonlyMap<string, string> = new Map([
  ['apply: the first apply makes the object, and its fields are the manager’s', serverSideApply],
  ['apply: another manager’s field is a conflict, unless by force', serverSideApply],
  ['apply: a manager must give its name', serverSideApply],
  ['apply: what a manager no longer applies is removed, if nobody else owns it', serverSideApply],
  ['apply: lists of keyed items are shared item by item', serverSideApply],
  ['apply: writes of other kinds are tracked, too', serverSideApply],
  ['kubectl apply: the server does it when asked', serverSideApply],
  ['crd: a rule that does not compile is refused with the definition', celRules],
  ['crd: a rule decides, also over time', celRules],
  ['crud: a Service gets its defaults and an address', 'addresses for Services, which come with their proxy'],
])
