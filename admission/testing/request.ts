import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import type { AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'

/** A request to admit, by somebody who may do everything. Object and names are the caller's to give. */
export function requestOf(request: Partial<AdmissionRequest>): AdmissionRequest {
  return {
    operation: 'CREATE',
    group: '',
    version: 'v1',
    kind: 'Pod',
    resource: 'pods',
    subresource: '',
    namespace: 'default',
    name: request.object?.metadata.name ?? '',
    user: { username: 'admin', groups: [] },
    dryRun: false,
    warn: () => {},
    ...request,
  }
}

/** Reads from a list. Objects that come later are added with `add`. */
export class FakeReader implements ObjectReader {
  readonly #objects: { resource: string; object: UnstructuredObject }[] = []
  #wake = () => {}

  add(resource: string, object: object): this {
    this.#objects.push({ resource, object: object as UnstructuredObject })
    this.#wake()
    return this
  }

  get<T>(_group: string, resource: string, namespace: string, name: string): T | undefined {
    return this.list<UnstructuredObject>('', resource, namespace).find((one) => one.metadata.name === name) as T
  }

  list<T>(_group: string, resource: string, namespace = ''): T[] {
    const found = this.#objects.filter((one) => one.resource === resource).map((one) => one.object)
    return found.filter(({ metadata }) => !namespace || metadata.namespace === namespace) as T[]
  }

  async waitFor<T>(group: string, resource: string, namespace: string, name: string): Promise<T | undefined> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      setImmediate(resolve)
    })
    return this.get<T>(group, resource, namespace, name)
  }
}
