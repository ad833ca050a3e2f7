import { readFileSync } from 'node:fs'
import type { JsonSchema, ResourceDefinition } from '#core/registry/resource.ts'

/** The built-in definitions and one custom resource, as tests of the documents use them. */
export const builtin = JSON.parse(
  readFileSync(new URL('../../../apis/crds/zz_generated.definitions.json', import.meta.url), 'utf8'),
) as { types: Record<string, JsonSchema>; resources: ResourceDefinition[] }

const versionOf = (name: string, schema: JsonSchema): ResourceDefinition['versions'][number] => ({
  name,
  served: true,
  schema,
  subresources: { status: true, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
  printerColumns: [],
  selectableFields: [],
})

export const backups: ResourceDefinition = {
  group: 'acme.dev',
  resource: 'backups',
  singular: 'backup',
  kind: 'Backup',
  listKind: 'BackupList',
  shortNames: ['bk'],
  categories: ['all'],
  namespaced: true,
  storageVersion: 'v1',
  builtin: false,
  versions: [
    versionOf('v1', {
      type: 'object',
      description: 'Copies a volume.',
      required: ['spec'],
      properties: {
        spec: {
          type: 'object',
          description: 'What to copy.',
          required: ['schedule'],
          properties: {
            schedule: { type: 'string', description: 'When, as in cron.' },
            replicas: { type: 'integer', format: 'int32', default: 1, minimum: 0 },
            keep: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
            extra: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: { a: { type: 'string' } },
            },
            note: { type: 'string', nullable: true },
            targets: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
            },
          },
        },
        status: { type: 'object', properties: { done: { type: 'boolean' } } },
      },
    }),
    versionOf('v1beta1', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }),
    versionOf('v2alpha1', { type: 'object' }),
  ],
}

export const allDefinitions = [...builtin.resources, backups]
export const groupsOf = (definitions: readonly ResourceDefinition[]) => Map.groupBy(definitions, ({ group }) => group)
export const allGroups = groupsOf(allDefinitions)
export const source = { generation: 1, groups: allGroups }
