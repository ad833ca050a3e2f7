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
  ['field validation by apply: unknown and repeated fields of a built-in kind are told', serverSideApply],
  ['field validation by apply: unknown fields of the metadata are told', serverSideApply],
  ['field validation by apply: a custom kind without fields takes any', serverSideApply],
  ['field validation by apply: a custom kind takes an object of its schema', serverSideApply],
  ['field validation by apply: a custom kind takes no field beyond its schema', serverSideApply],
  ['field validation by apply: a field that comes twice is told, though any is kept', serverSideApply],
  ['field validation by apply: unknown metadata is told, of the object and of the one inside it', serverSideApply],
  ['crd: a rule that does not compile is refused with the definition', celRules],
  ['crd: a rule decides, also over time', celRules],
  ['crud: a Service gets its defaults and an address', 'addresses for Services, which come with their proxy'],
])
