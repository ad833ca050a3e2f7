import { describe, expect, test } from 'vitest'
import { check } from './checker.ts'
import type { Overload } from './environment.ts'
import { parse } from './parser.ts'
import { type Case, environmentOf, readCases } from './testing/case.ts'
import { mixedOrder, printChecked } from './testing/print-checked.ts'

function checkedTreeOf(one: Case): string {
  const ids = new Map<Overload, string>()
  const environment = environmentOf(one, ids)
  const tree = parse(one.expression)
  const checked = check(tree, environment, one.expression)
  return printChecked(tree, checked, { hasMixedOrder: mixedOrder.test(one.checked!), ids })
}

/**
 * What the published trees leave out, as they were made without the syntax for optional values and the macros of libraries:
 * derived by hand from the definitions of the macros in the reference.
 */
const others: [expression: string, checked: string][] = [
  ['m.?b', '_?._(m~map(string, string)^m,"b")~optional_type(string)^select_optional_field'],
  [
    'has(o.?b.c)',
    '_?._(o~optional_type(map(string, dyn))^o,"b")~optional_type(dyn)^select_optional_field.c~test-only~~bool',
  ],
  [
    "{?'k': m.?b}.k",
    '{?"k"~string:_?._(m~map(string, string)^m,"b")~optional_type(string)^select_optional_field}~map(string, string).k~string',
  ],
  ["[?t, 'w']", '[t~optional_type(string)^t,"w"~string]~list(string)'],
  ['[?d, 1]', '[d~dyn^d,1~int]~list(dyn)'],
  ["m[?'b']", '_[?_](m~map(string, string)^m,"b"~string)~optional_type(string)^map_optindex_optional_value'],
  [
    "o[?'b']",
    '_[?_](o~optional_type(map(string, dyn))^o,"b"~string)~optional_type(dyn)^optional_map_optindex_optional_value',
  ],
  [
    'd[?0]',
    '_[?_](d~dyn^d,0~int)~dyn^list_optindex_optional_int|map_optindex_optional_value|optional_list_optindex_optional_int|optional_map_optindex_optional_value',
  ],
  [
    '{"a": t}.?a',
    '_?._({"a"~string:t~optional_type(string)^t}~map(string, optional_type(string)),"a")~optional_type(optional_type(string))^select_optional_field',
  ],
  [
    't.optFlatMap(x, m[?x])',
    '_?_:_(t~optional_type(string)^t.hasValue()~bool^optional_hasValue,__comprehension__(#unused,[]~list(dyn),x,t~optional_type(string)^t.value()~string^optional_value,false~bool,x~string^x,_[?_](m~map(string, string)^m,x~string^x)~optional_type(string)^map_optindex_optional_value)~optional_type(string),optional.none()~optional_type(string)^optional_none)~optional_type(string)^conditional',
  ],
  [
    'l.all(i, v, i < 2)',
    '__comprehension__(i,v,l~list(string)^l,@result,true~bool,@not_strictly_false(@result~bool^@result)~bool^not_strictly_false,_&&_(@result~bool^@result,_<_(i~int^i,2~int)~bool^less_int64)~bool^logical_and,@result~bool^@result)~bool',
  ],
  [
    'm.exists(k, v, k == v)',
    '__comprehension__(k,v,m~map(string, string)^m,@result,false~bool,@not_strictly_false(!_(@result~bool^@result)~bool^logical_not)~bool^not_strictly_false,_||_(@result~bool^@result,_==_(k~string^k,v~string^v)~bool^equals)~bool^logical_or,@result~bool^@result)~bool',
  ],
  [
    'd.existsOne(k, v, v)',
    '__comprehension__(k,v,d~dyn^d,@result,0~int,true~bool,_?_:_(v~dyn^v,_+_(@result~int^@result,1~int)~int^add_int64,@result~int^@result)~int^conditional,_==_(@result~int^@result,1~int)~bool^equals)~bool',
  ],
  [
    'l.transformList(i, v, i > 0, [v])',
    '__comprehension__(i,v,l~list(string)^l,@result,[]~list(list(string)),true~bool,_?_:_(_>_(i~int^i,0~int)~bool^greater_int64,_+_(@result~list(list(string))^@result,[[v~string^v]~list(string)]~list(list(string)))~list(list(string))^add_list,@result~list(list(string))^@result)~list(list(string))^conditional,@result~list(list(string))^@result)~list(list(string))',
  ],
  [
    'l.transformMap(i, v, v)',
    '__comprehension__(i,v,l~list(string)^l,@result,{}~map(int, string),true~bool,cel.@mapInsert(@result~map(int, string)^@result,i~int^i,v~string^v)~map(int, string)^@mapInsert_map_key_value,@result~map(int, string)^@result)~map(int, string)',
  ],
  [
    'd.transformMapEntry(k, v, {1: v})',
    '__comprehension__(k,v,d~dyn^d,@result,{}~map(int, dyn),true~bool,cel.@mapInsert(@result~map(int, dyn)^@result,{1~int:v~dyn^v}~map(int, dyn))~map(int, dyn)^@mapInsert_map_map,@result~map(int, dyn)^@result)~map(int, dyn)',
  ],
  [
    'l.sortBy(x, x.size())',
    '__comprehension__(#unused,[]~list(dyn),@__sortBy_input__,l~list(string)^l,false~bool,@__sortBy_input__~list(string)^@__sortBy_input__,@__sortBy_input__~list(string)^@__sortBy_input__.@sortByAssociatedKeys(__comprehension__(x,@__sortBy_input__~list(string)^@__sortBy_input__,@result,[]~list(int),true~bool,_+_(@result~list(int)^@result,[x~string^x.size()~int^string_size]~list(int))~list(int)^add_list,@result~list(int)^@result)~list(int))~list(string)^list_int_sortByAssociatedKeys)~list(string)',
  ],
]
const refused: [expression: string, message: string][] = [
  ['m.sortBy(k, k)', "'@sortByAssociatedKeys' applied to 'map(string, string).(list(string))'"],
  ['[[1]].sortBy(x, x)', "'@sortByAssociatedKeys' applied to 'list(list(int)).(list(list(int)))'"],
  ["[?'value']", "1:3: expected type 'optional_type(string)' but found 'string'"],
  ["{?'key': 'hi'}", "1:10: expected type 'optional_type(string)' but found 'string'"],
  ['t[0]', "'_[_]' applied to '(optional_type(string), int)'"],
]
const variables = {
  l: 'list(string)',
  m: 'map(string, string)',
  o: 'optional_type(map(string, dyn))',
  t: 'optional_type(string)',
  d: 'dyn',
}
const caseOf = (expression: string, checked = ''): Case => ({ suite: '', name: '', expression, variables, checked })
test.each(others)('finds the types and the overloads of %s', (expression, checked) => {
  expect(checkedTreeOf(caseOf(expression, checked))).toBe(checked)
})
test.each(refused)('refuses %s', (expression, message) => {
  expect(() => checkedTreeOf(caseOf(expression))).toThrow(message)
})

const withTree = readCases().filter(({ checked }) => checked !== undefined)
const byFile = Map.groupBy(withTree, ({ suite }) => suite.split('/')[0]!)
describe.each([...byFile])('finds the types and the overloads of every node: %s', (_, inFile) => {
  test.each(inFile.map((one) => [`${one.suite}/${one.name}`, one] as const))('%s', (_name, one) => {
    expect(checkedTreeOf(one)).toBe(one.checked)
  })
})
