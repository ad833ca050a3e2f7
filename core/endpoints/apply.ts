import type { UnstructuredObject } from '#apis/meta/v1/types.ts'
import { newBadRequest, newNotFound } from '#core/errors/status-error.ts'
import type { Application } from '#core/registry/apply-configuration.ts'
import { isLarge, nextTurn } from '#core/registry/large-objects.ts'
import type { ShownAs } from '#core/registry/resource-store.ts'
import { isObject } from '#core/schema/json.ts'
import { isTrue } from '#core/server/request-info.ts'
import { parseJson, parseYaml, type StrictReading } from './body.ts'
import { maxBodyBytes, type ResourceRequest, writeContext } from './endpoint.ts'
import { managerName } from './field-manager.ts'
import { replyObject } from './reply.ts'

/**
 * PATCH with a configuration: the fields that the client has an opinion on. Makes the object when there is none.
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
export async function apply(request: ResourceRequest): Promise<void> {
  const { bytes, created } = await applyBody(request, (configuration) => configuration)
  await replyObject(request, created ? 201 : 200, bytes)
}

/**
 * Applies what the body says to a subresource.
 * @param translate makes a configuration of the object out of one of the subresource
 * @returns the object
 */
export async function applyConfigurationOf(
  request: ResourceRequest,
  translate: (configuration: UnstructuredObject) => UnstructuredObject,
  shownAs: ShownAs,
): Promise<Buffer> {
  return (await applyBody(request, translate, shownAs)).bytes
}

async function applyBody(
  request: ResourceRequest,
  translate: (configuration: UnstructuredObject) => UnstructuredObject,
  shownAs?: ShownAs,
): Promise<{ bytes: Buffer; created: boolean }> {
  const { exchange, info, served, store } = request
  const context = { ...writeContext(request), shownAs }
  const manager = { name: managerName(exchange), operation: 'Apply', subresource: info.subresource } as const
  const force = isTrue(exchange.query.get('force'))
  const body = await exchange.body(maxBodyBytes)
  const read = (reading?: StrictReading) => translate(readConfiguration(body, request, reading))
  let first: UnstructuredObject | undefined = read(context)
  context.bodyLength = body.length
  if (isLarge(body.length)) await nextTurn()
  const name: unknown = first.metadata?.name
  const application = (): Application => {
    const configuration = first ?? read()
    first = undefined
    return { configuration, manager, force }
  }
  return store.apply(served, info, info.subresource, application, () => checkCreation(request, name), context)
}

/** @throws StatusError BadRequest for what is no object of the resource's kind */
function readConfiguration(
  body: Buffer,
  { served, info }: ResourceRequest,
  reading: StrictReading | undefined,
): UnstructuredObject {
  const value = parseConfiguration(body, reading) ?? {}
  if (!isObject(value)) {
    const type = Array.isArray(value) ? 'array' : typeof value
    throw newBadRequest(
      `error decoding YAML: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`,
    )
  }
  const { apiVersion, kind } = value
  const isScale = info.subresource === 'scale'
  const expected = isScale ? 'autoscaling/v1' : served.apiVersion
  if (apiVersion !== expected || kind !== (isScale ? 'Scale' : served.resource.definition.kind)) {
    throw newBadRequest(`invalid object type: ${formatKind(apiVersion, kind)}`)
  }
  return value as UnstructuredObject
}

const openingBrace = 0x7b

/** Most clients send JSON, which is read much faster by itself. */
function parseConfiguration(body: Buffer, reading: StrictReading | undefined): unknown {
  try {
    if (body[0] === openingBrace) {
      try {
        return parseJson(body, reading)
      } catch {
        // Also YAML begins like that.
      }
    }
    return parseYaml(body, reading)
  } catch (cause) {
    throw newBadRequest(`error decoding YAML: ${rootCause(cause)}`, cause)
  }
}

function rootCause(error: unknown): string {
  return ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message
}

/** `apps/v1, Kind=Deployment`, as Go prints it: the group is empty for the core group, and so is what is missing. */
function formatKind(apiVersion: unknown, kind: unknown): string {
  const version = typeof apiVersion === 'string' ? apiVersion : ''
  return `${version.includes('/') ? version : `/${version}`}, Kind=${typeof kind === 'string' ? kind : ''}`
}

/** Who applies to what is not there must be allowed to create it, and name it. */
function checkCreation({ info, served, permit }: ResourceRequest, name: unknown): void {
  const { definition } = served.resource
  if (info.subresource !== '') throw newNotFound(definition, info.name)
  permit({ ...info, verb: 'create' })
  if (!name) {
    throw newBadRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
  }
  if (name !== info.name) {
    throw newBadRequest(`the name of the object (${String(name)}) does not match the name on the URL (${info.name})`)
  }
}
