import type { EnvVar } from '@keelson/apis/core/v1/zz_generated.types.ts'
import type { DeepReadonly } from '@keelson/client'
import type { PodFacts } from './fields.ts'
import { fieldValue, resourceValue } from './fields.ts'
import type { ContainerSpec, PodObject } from './model.ts'

/**
 * The environment of a container: `envFrom` first, then `env` in order, where `$(NAME)` stands for what is set above it.
 * Variables for the namespace's services are not among them; name services by DNS.
 */

/** A ConfigMap's or Secret's values; undefined when there is no such object. */
export type KeyedValues = ReadonlyMap<string, Buffer> | undefined
export type ObjectKind = 'configmap' | 'secret'
export type LookUp = (kind: ObjectKind, name: string) => Promise<KeyedValues>

/** A container cannot be made as its spec says: `CreateContainerConfigError`. */
export class ContainerConfigError extends Error {
  override name = 'ContainerConfigError'
}

export interface EnvironmentOf {
  pod: PodObject
  container: ContainerSpec
  facts: PodFacts
  lookUp: LookUp
}

/** @throws ContainerConfigError when something it refers to is missing */
export async function environment(of: EnvironmentOf): Promise<Map<string, string>> {
  const variables = await inherited(of)
  for (const variable of of.container.env ?? []) {
    const value = await variableValue(variable, variables, of)
    if (value !== undefined) variables.set(variable.name, value)
  }
  return variables
}

async function inherited({ container, lookUp }: EnvironmentOf): Promise<Map<string, string>> {
  const variables = new Map<string, string>()
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const [kind, ref] = configMapRef ? (['configmap', configMapRef] as const) : (['secret', secretRef] as const)
    if (!ref) continue
    const values = await lookUp(kind, ref.name ?? '')
    if (!values && !ref.optional) throw new ContainerConfigError(`${kind} "${ref.name}" not found`)
    for (const [key, value] of values ?? [])
      if (isVariableName(prefix + key)) variables.set(prefix + key, value.toString())
  }
  return variables
}

/** Anything printable but `=` may be a name; what cannot be one is left out, as in Kubernetes. */
const isVariableName = (name: string) => /^[ -<>-~]+$/.test(name)

async function variableValue(
  { name, value = '', valueFrom }: DeepReadonly<EnvVar>,
  above: ReadonlyMap<string, string>,
  { pod, container, facts, lookUp }: EnvironmentOf,
): Promise<string | undefined> {
  if (!valueFrom) return expand(value, above)
  try {
    if (valueFrom.fieldRef) return fieldValue(pod, valueFrom.fieldRef, facts)
    if (valueFrom.resourceFieldRef) return resourceValue(pod, valueFrom.resourceFieldRef, facts, container.name)
  } catch (error) {
    throw new ContainerConfigError((error as Error).message)
  }
  const { configMapKeyRef, secretKeyRef } = valueFrom
  if (configMapKeyRef) return keyedValue('configmap', 'ConfigMap', configMapKeyRef, pod, lookUp)
  if (secretKeyRef) return keyedValue('secret', 'Secret', secretKeyRef, pod, lookUp)
  throw new ContainerConfigError(`environment variable ${name} has a source this node does not support`)
}

async function keyedValue(
  kind: ObjectKind,
  title: string,
  ref: { name?: string; key: string; optional?: boolean },
  pod: PodObject,
  lookUp: LookUp,
): Promise<string | undefined> {
  const values = await lookUp(kind, ref.name ?? '')
  const value = values?.get(ref.key)
  if (value !== undefined || ref.optional) return value?.toString()
  if (!values) throw new ContainerConfigError(`${kind} "${ref.name}" not found`)
  throw new ContainerConfigError(`couldn't find key ${ref.key} in ${title} ${pod.metadata.namespace}/${ref.name}`)
}

/** Replaces `$(NAME)` by what is set; `$$` is a dollar sign, and an unknown name stays as it is written. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name?: string) => {
    if (name === undefined) return '$'
    return variables.get(name) ?? whole
  })
}
