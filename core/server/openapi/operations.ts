import type { ResourceDefinition } from '#core/registry/resource.ts'
import { type Gvk, type ServedResource, servedIn } from '../discovery/served.ts'
import type { Parameter } from './parameters.ts'
import * as parameters from './parameters.ts'
import { type KindNames, metaSchema, versionInfoSchema } from './schemas.ts'

/** What can be asked of a group and version, before either version of OpenAPI gives it its form. */
export interface Operation {
  method: Method
  /** `x-kubernetes-action`; absent for documents about the API itself. */
  action?: string
  kind?: Gvk
  id: string
  tag: string
  description: string
  parameters: readonly Parameter[]
  body?: { schema: string; consumes: readonly string[]; required: boolean }
  answers: readonly Answer[]
  produces: readonly string[]
}

export interface Answer {
  code: number
  description: string
  /** A definition name; 'string' for plain text; absent without a body. */
  schema?: string
}

export type Method = 'get' | 'put' | 'post' | 'delete' | 'patch' | 'head' | 'options'

export interface Path {
  path: string
  /** Shared by all operations of the path. */
  parameters: readonly Parameter[]
  operations: Operation[]
}

const json = ['application/json', 'application/yaml']
const listTypes = [...json, 'application/json;stream=watch']
const anyType = ['*/*']
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const customPatchTypes = patchTypes.filter((type) => !type.includes('strategic'))

const ok = (schema?: string): Answer => ({ code: 200, description: 'OK', ...(schema && { schema }) })
const created = (schema: string): Answer => ({ code: 201, description: 'Created', schema })
const accepted = (schema: string): Answer => ({ code: 202, description: 'Accepted', schema })
const unauthorized: Answer = { code: 401, description: 'Unauthorized' }

export const groupVersionPath = (group: string, version: string) =>
  group ? `/apis/${group}/${version}` : `/api/${version}`

/** The paths of one version of a definition. @param names of all the kinds it mentions */
export function definitionPaths(definition: ResourceDefinition, version: string, names: KindNames): Path[] {
  const scope = new Scope(definition.group, version, names)
  return servedIn(definition, version)
    .flatMap((served) => scope.pathsOf(served))
    .filter((path) => path.operations.length > 0)
}

/** `/apis/<group>/<version>/` */
export function versionListPath(group: string, version: string): Path {
  const id = `get${idPart(group, version)}APIResources`
  const schema = metaSchema('APIResourceList')
  return aboutPath(`${groupVersionPath(group, version)}/`, id, versionTag(group, version), schema, listDescription)
}

const listDescription = 'get available resources'

/** `/api/` or `/apis/`. */
export function rootPath(root: 'api' | 'apis'): Path {
  return root === 'api'
    ? aboutPath('/api/', 'getCoreAPIVersions', 'core', metaSchema('APIVersions'), 'get available API versions')
    : aboutPath('/apis/', 'getAPIVersions', 'apis', metaSchema('APIGroupList'), 'get available API versions')
}

/** `/apis/<group>/` */
export function groupPath(group: string): Path {
  const id = `get${camelGroup(group)}APIGroup`
  return aboutPath(`/apis/${group}/`, id, tagOf(group), metaSchema('APIGroup'), 'get information of a group')
}

export function versionPath(): Path {
  return aboutPath(
    '/version/',
    'getCodeVersion',
    'version',
    versionInfoSchema,
    'get the version information for this server',
  )
}

function aboutPath(path: string, id: string, tag: string, schema: string, description: string): Path {
  const operation: Operation = {
    method: 'get',
    id,
    tag,
    description,
    parameters: [],
    answers: [ok(schema), unauthorized],
    produces: json,
  }
  return { path, parameters: [], operations: [operation] }
}

/** Groups of Kubernetes go by their first words, others by all of them. */
function camelGroup(group: string): string {
  const words = (group || 'core').replace(/\.k8s\.io$/, '').split(/[.-]/)
  return words.map(camel).join('')
}

const camel = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
const idPart = (group: string, version: string) => camelGroup(group) + camel(version)
const versionTag = (group: string, version: string) => `${tagOf(group)}_${version}`
const tagOf = (group: string) => (group || 'core').replace(/\.k8s\.io$/, '').replace(/[.-]/g, '_')

/** One group and version while its paths are being made. */
class Scope {
  readonly #group: string
  readonly #prefix: string
  readonly #idPart: string
  readonly #tag: string
  readonly #names: KindNames

  constructor(group: string, version: string, names: KindNames) {
    this.#group = group
    this.#prefix = groupVersionPath(group, version)
    this.#idPart = idPart(group, version)
    this.#tag = versionTag(group, version)
    this.#names = names
  }

  pathsOf(served: ServedResource): Path[] {
    const base = served.definition.namespaced ? `${this.#prefix}/namespaces/{namespace}` : this.#prefix
    const collection = `${base}/${served.definition.resource}`
    const item = `${collection}/{name}`
    if (!served.subresource) return this.#mainPaths(served, collection, item)
    const path = `${item}/${served.subresource}`
    if (this.#names.nameOf(served.kind)) return [this.#path(path, served, this.#partOperations(served))]
    // Kinds without a schema, such as PodExecOptions, are never sent: the connection is upgraded or proxied.
    const plain = this.#path(path, served, this.#connectOperations(served, ''))
    if (served.subresource !== 'proxy') return [plain]
    const below = this.#path(`${path}/{path}`, served, this.#connectOperations(served, 'WithPath'))
    return [plain, { ...below, parameters: [...below.parameters, parameters.proxyPath] }]
  }

  #path(path: string, { definition }: ServedResource, operations: Operation[]): Path {
    const shared = [
      ...(path.includes('{name}') ? [parameters.name(definition.kind)] : []),
      ...(path.includes('{namespace}') ? [parameters.namespace] : []),
      parameters.pretty,
    ]
    return { path, parameters: shared, operations }
  }

  #mainPaths(served: ServedResource, collection: string, item: string): Path[] {
    const { definition, kind, verbs } = served
    const patch = definition.builtin ? patchTypes : customPatchTypes
    const scoped = (definition.namespaced ? 'Namespaced' : '') + kind.kind
    const id = (verb: string, of = scoped) => `${verb}${this.#idPart}${of}`
    const own = this.#schemaOf(kind)
    const list = this.#names.nameOf({ ...kind, kind: definition.listKind })
    const make = (verb: string, build: () => Operation) => (verbs.includes(verb) ? [build()] : [])
    const lists = (of: string): Operation => ({
      ...this.#base(kind, 'get', 'list', id('list', of), `list or watch objects of kind ${kind.kind}`),
      parameters: parameters.listParameters,
      answers: [ok(list), unauthorized],
      produces: listTypes,
    })
    const onCollection = [
      ...make('list', () => lists(scoped)),
      ...make('create', () => this.#create(kind, own, id('create'))),
      ...make('deletecollection', () => ({
        ...this.#base(
          kind,
          'delete',
          'deletecollection',
          id('delete', `Collection${scoped}`),
          `delete collection of ${kind.kind}`,
        ),
        parameters: parameters.deleteCollectionParameters,
        body: { schema: metaSchema('DeleteOptions'), consumes: anyType, required: false },
        answers: [ok(metaSchema('Status')), unauthorized],
      })),
    ]
    const onItem = [
      ...make('get', () => this.#read(kind, own, id('read'))),
      ...make('update', () => this.#replace(kind, own, id('replace'))),
      ...make('delete', () => ({
        ...this.#base(kind, 'delete', 'delete', id('delete'), `delete a ${kind.kind}`),
        parameters: parameters.deleteParameters,
        body: { schema: metaSchema('DeleteOptions'), consumes: anyType, required: false },
        answers: [ok(metaSchema('Status')), accepted(metaSchema('Status')), unauthorized],
      })),
      ...make('patch', () => this.#patch(kind, own, id('patch'), patch)),
    ]
    const paths = [this.#path(collection, served, onCollection), this.#path(item, served, onItem)]
    if (definition.namespaced && verbs.includes('list')) {
      paths.push(this.#path(`${this.#prefix}/${definition.resource}`, served, [lists(`${kind.kind}ForAllNamespaces`)]))
    }
    return paths
  }

  #partOperations({ definition, kind, subresource, verbs }: ServedResource): Operation[] {
    const of = (definition.namespaced ? 'Namespaced' : '') + definition.kind + camel(subresource!)
    const id = (verb: string) => `${verb}${this.#idPart}${of}`
    const own = this.#schemaOf(kind)
    const patch = definition.builtin ? patchTypes : customPatchTypes
    return verbs.flatMap((verb) => {
      if (verb === 'get' && subresource === 'log') return [this.#log(kind, id('read'))]
      if (verb === 'get') return [this.#read(kind, own, id('read'))]
      if (verb === 'create') return [this.#create(kind, own, id('create'))]
      if (verb === 'update') return [this.#replace(kind, own, id('replace'))]
      if (verb === 'patch') return [this.#patch(kind, own, id('patch'), patch)]
      return []
    })
  }

  #connectOperations({ definition, kind, subresource, verbs }: ServedResource, suffix: string): Operation[] {
    const of = (definition.namespaced ? 'Namespaced' : '') + definition.kind + camel(subresource!) + suffix
    const methods = verbs.map((verb) => methodOf.get(verb)!)
    if (subresource === 'proxy') methods.push('head', 'options')
    return methods.map((method) => ({
      ...this.#base(
        kind,
        method,
        'connect',
        `connect${this.#idPart}${camel(method)}${of}`,
        `connect ${method.toUpperCase()} requests to ${subresource} of ${definition.kind}`,
      ),
      parameters: parameters.subresourceParameters.get(kind.kind) ?? [],
      answers: [ok('string'), unauthorized],
      produces: anyType,
    }))
  }

  #base(kind: Gvk, method: Method, action: string, id: string, description: string): Operation {
    return { method, action, kind, id, tag: this.#tag, description, parameters: [], answers: [], produces: json }
  }

  #read(kind: Gvk, own: string, id: string): Operation {
    return {
      ...this.#base(kind, 'get', 'get', id, `read the specified ${kind.kind}`),
      answers: [ok(own), unauthorized],
    }
  }

  #log(kind: Gvk, id: string): Operation {
    return {
      ...this.#base(kind, 'get', 'get', id, `read log of the specified ${kind.kind}`),
      parameters: parameters.logParameters,
      answers: [ok('string'), unauthorized],
      produces: ['text/plain', ...json],
    }
  }

  #create(kind: Gvk, own: string, id: string): Operation {
    return {
      ...this.#base(kind, 'post', 'post', id, `create a ${kind.kind}`),
      parameters: parameters.writeParameters,
      body: { schema: own, consumes: anyType, required: true },
      answers: [ok(own), created(own), accepted(own), unauthorized],
    }
  }

  #replace(kind: Gvk, own: string, id: string): Operation {
    return {
      ...this.#base(kind, 'put', 'put', id, `replace the specified ${kind.kind}`),
      parameters: parameters.writeParameters,
      body: { schema: own, consumes: anyType, required: true },
      answers: [ok(own), created(own), unauthorized],
    }
  }

  #patch(kind: Gvk, own: string, id: string, consumes: readonly string[]): Operation {
    return {
      ...this.#base(kind, 'patch', 'patch', id, `partially update the specified ${kind.kind}`),
      parameters: parameters.patchParameters,
      body: { schema: metaSchema('Patch'), consumes, required: true },
      answers: [ok(own), created(own), unauthorized],
    }
  }

  #schemaOf(kind: Gvk): string {
    const name = this.#names.nameOf(kind)
    if (!name) throw new Error(`describe ${this.#group}: no schema of ${kind.group}/${kind.version} ${kind.kind}`)
    return name
  }
}

const methodOf = new Map<string, Method>([
  ['get', 'get'],
  ['create', 'post'],
  ['update', 'put'],
  ['patch', 'patch'],
  ['delete', 'delete'],
])

/** The definition names operations mention. */
export function schemasOf(paths: readonly Path[]): Set<string> {
  const names = new Set<string>()
  for (const { operations } of paths) {
    for (const { body, answers } of operations) {
      if (body) names.add(body.schema)
      for (const { schema } of answers) if (schema && schema !== 'string') names.add(schema)
    }
  }
  return names
}
