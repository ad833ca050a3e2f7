import { expect, test } from 'vitest'
import { statusOf } from '#core/errors/status-error.ts'
import type { ResourceDefinition } from '#core/registry/resource.ts'
import { parseRequest, type ResourceInfo } from './request-info.ts'
import { addressOf } from './resource-address.ts'

const pods = { group: '', resource: 'pods', namespaced: true } as ResourceDefinition
const nodes = { group: '', resource: 'nodes', namespaced: false } as ResourceDefinition
const namespaces = { group: '', resource: 'namespaces', namespaced: false } as ResourceDefinition

const infoOf = (method: string, path: string) => parseRequest(method, path, () => new URLSearchParams()) as ResourceInfo

test.each([
  { name: 'a pod', of: pods, method: 'GET', path: '/api/v1/namespaces/a/pods/p', namespace: 'a' },
  { name: 'pods everywhere', of: pods, method: 'GET', path: '/api/v1/pods', namespace: '' },
  { name: 'a node', of: nodes, method: 'DELETE', path: '/api/v1/nodes/n', namespace: '' },
  { name: 'a namespace', of: namespaces, method: 'GET', path: '/api/v1/namespaces/a', namespace: '' },
  {
    name: 'the status of a namespace',
    of: namespaces,
    method: 'PUT',
    path: '/api/v1/namespaces/a/status',
    namespace: '',
  },
  {
    name: 'a subresource that is created',
    of: pods,
    method: 'POST',
    path: '/api/v1/namespaces/a/pods/p/binding',
    namespace: 'a',
  },
])('$name is found where it is', ({ of, method, path, namespace }) => {
  expect(addressOf(infoOf(method, path), of).namespace).toBe(namespace)
})

test.each([
  { name: 'nodes of a namespace', of: nodes, method: 'GET', path: '/api/v1/namespaces/a/nodes', code: 404 },
  { name: 'a node of a namespace', of: nodes, method: 'GET', path: '/api/v1/namespaces/a/nodes/n', code: 404 },
  { name: 'creating a node in a namespace', of: nodes, method: 'POST', path: '/api/v1/namespaces/a/nodes', code: 404 },
  { name: 'deleting nodes in a namespace', of: nodes, method: 'DELETE', path: '/api/v1/namespaces/a/nodes', code: 404 },
  {
    name: 'a namespace of a namespace',
    of: namespaces,
    method: 'GET',
    path: '/api/v1/namespaces/a/namespaces/b',
    code: 404,
  },
  { name: 'a pod of no namespace', of: pods, method: 'GET', path: '/api/v1/pods/p', code: 404 },
  { name: 'creating under a name', of: pods, method: 'POST', path: '/api/v1/namespaces/a/pods/p', code: 405 },
  { name: 'replacing a collection', of: pods, method: 'PUT', path: '/api/v1/namespaces/a/pods', code: 405 },
  { name: 'patching a collection', of: nodes, method: 'PATCH', path: '/api/v1/nodes', code: 405 },
])('$name is refused', ({ of, method, path, code }) => {
  let refusal: unknown
  try {
    addressOf(infoOf(method, path), of)
  } catch (error) {
    refusal = error
  }
  expect(refusal).toBeDefined()
  expect(statusOf(refusal).code).toBe(code)
})
