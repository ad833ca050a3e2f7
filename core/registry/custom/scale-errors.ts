import { type FieldError, invalid } from '#apis/meta/v1/field-error.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { isObject } from '#core/schema/json.ts'
import type { ScaleSubresource } from '../resource.ts'

/** What must hold of the fields of a custom resource that its scale shows, whatever its schema says of them. */
export function scaleErrors(object: UnstructuredObject, scale: ScaleSubresource, subresource: string): FieldError[] {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale
  return [
    ...(subresource === 'status' ? [] : replicasErrors(object, specReplicasPath)),
    ...replicasErrors(object, statusReplicasPath),
    ...(labelSelectorPath
      ? misfitErrors(object, labelSelectorPath, 'string', (value) => typeof value === 'string')
      : []),
  ]
}

const mostReplicas = 2 ** 31 - 1

function replicasErrors(object: UnstructuredObject, path: string): FieldError[] {
  const misfits = misfitErrors(object, path, 'int64', Number.isInteger)
  if (misfits.length > 0) return misfits
  const replicas = (valueAt(object, path).value as number | undefined) ?? 0
  if (replicas < 0) return [invalid(path, replicas, 'should be a non-negative integer')]
  if (replicas > mostReplicas) return [invalid(path, replicas, `should be less than or equal to ${mostReplicas}`)]
  return []
}

function misfitErrors(
  object: UnstructuredObject,
  path: string,
  wanted: 'int64' | 'string',
  isSo: (value: unknown) => boolean,
): FieldError[] {
  const { found, value } = valueAt(object, path)
  if (found === 'nothing' || (found === 'field' && isSo(value))) return []
  const expected = found === 'field' ? wanted : 'map[string]interface {}'
  const shown = typeof value === 'string' ? value : JSON.stringify(value)
  const detail = `${path} accessor error: ${shown} is of the type ${goType(value)}, expected ${expected}`
  return [invalid(path, wanted === 'int64' ? 0 : '', detail)]
}

function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** What is at a path of names: the field, what bars the way to it, or nothing. */
function valueAt(object: UnstructuredObject, path: string): { found: 'field' | 'bar' | 'nothing'; value?: unknown } {
  let value: unknown = object
  for (const name of path.slice(1).split('.')) {
    if (!isObject(value)) return { found: 'bar', value }
    if (!Object.hasOwn(value, name)) return { found: 'nothing' }
    value = value[name]
  }
  return { found: 'field', value }
}
