import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { statusOf } from '#core/errors/status-error.ts'
import { builtinRules, loadBuiltinDefinitions } from '#core/registry/builtin.ts'
import { decodeObject, validateObject } from '#core/registry/decode.ts'
import { setCreationMetadata, setUpdateMetadata, warnOf } from '#core/registry/metadata.ts'
import { Resource, type ServedVersion } from '#core/registry/registry.ts'
import { SchemaCompiler } from '#core/schema/compile.ts'
import { Dispatcher } from '#core/storage/cacher/dispatcher.ts'
import { ResourceCache } from '#core/storage/cacher/resource-cache.ts'
import type { Remark } from './crd-lint-finding.ts'

const group = 'apiextensions.k8s.io'
const plural = 'customresourcedefinitions'

/** What the server would say, by the server's own code. */
export class CrdJudge {
  readonly #served: ServedVersion

  private constructor(served: ServedVersion) {
    this.#served = served
  }

  static async open(): Promise<CrdJudge> {
    const { types, resources } = await loadBuiltinDefinitions()
    const definition = resources.find((one) => one.group === group && one.resource === plural)!
    const rules = builtinRules.get(`${group}/${plural}`)!
    const cache = new ResourceCache(0, new Dispatcher(), () => ({ labels: {}, fields: {} }))
    const compiler = new SchemaCompiler(types, { builtin: true })
    const resource = new Resource(definition, compiler, cache, definition, rules, 0, undefined)
    return new CrdJudge(resource.version('v1')!)
  }

  /**
   * @param value parsed YAML or JSON; not changed
   * @param old what is served today: then it is judged as an update
   * @returns the definition with its defaults; absent when it is none
   */
  judge(
    value: unknown,
    old?: CustomResourceDefinition,
  ): { crd: CustomResourceDefinition | undefined; remarks: Remark[] } {
    const remarks: Remark[] = []
    const warn = (message: string) => remarks.push(remarkOf(message))
    let object: UnstructuredObject
    try {
      object = decodeObject(structuredClone(value), this.#served, { fieldValidation: 'Warn', warn })
    } catch (error) {
      return { crd: undefined, remarks: [...remarks, ...remarksOf(error)] }
    }
    try {
      this.#validate(object, old as UnstructuredObject | undefined, warn)
    } catch (error) {
      remarks.push(...remarksOf(error))
    }
    return { crd: object as unknown as CustomResourceDefinition, remarks }
  }

  #validate(object: UnstructuredObject, old: UnstructuredObject | undefined, warn: (message: string) => void): void {
    const { resource } = this.#served
    if (old) {
      object.status = structuredClone(old.status)
      object.metadata.resourceVersion = old.metadata.resourceVersion
      setUpdateMetadata(object, old, resource)
      resource.rules.prepareUpdate?.(object, old, '')
    } else {
      // What comes from a cluster has one, and is to go to another.
      delete object.metadata.resourceVersion
      setCreationMetadata(object, resource, '', Date.now())
      resource.rules.prepareCreate?.(object)
    }
    try {
      validateObject(object, old, this.#served, '', warn)
    } finally {
      warnOf(object, old, resource, warn)
    }
  }
}

/** What is said of a field that is no field of definitions. */
export const unknownField = 'unknown field'
const unknownFieldWarning = /^unknown field "(.*)"$/

/** What the server only warns of; of unknown fields kubectl makes errors. */
function remarkOf(message: string): Remark {
  const path = unknownFieldWarning.exec(message)?.[1]
  if (path === undefined) return { severity: 'warning', path: '', message }
  return { severity: 'error', path, message: unknownField }
}

const goField = /Go struct field [^. ]+\.(\S+) of type/

function remarksOf(error: unknown): Remark[] {
  const { message = '', details } = statusOf(error)
  if (details?.causes) {
    return details.causes.map((cause) => ({
      severity: 'error',
      path: placeOf(cause.field ?? ''),
      message: cause.message ?? '',
    }))
  }
  return [{ severity: 'error', path: goField.exec(message)?.[1] ?? '', message }]
}

/**
 * What all versions say alike Kubernetes names by the place it had in an older form: the first version has it here. So it
 * does with what is said of a webhook.
 */
function placeOf(field: string): string {
  return field
    .replace(/^spec\.conversion\.webhookClientConfig\b/, 'spec.conversion.webhook.clientConfig')
    .replace(/^spec\.conversion\.conversionReviewVersions\b/, 'spec.conversion.webhook.conversionReviewVersions')
    .replace(/^spec\.version$/, 'spec.versions[0].name')
    .replace(/^spec\.validation\b/, 'spec.versions[0].schema')
    .replace(/^spec\.(subresources|additionalPrinterColumns|selectableFields)\b/, 'spec.versions[0].$1')
}
