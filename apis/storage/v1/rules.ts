import { termWarnings } from '../../core/v1/node-label-warnings.ts'
import { csiDriverNameErrors } from '../../core/v1/validate-volumes.ts'
import { isSame } from '../../meta/v1/equality.ts'
import { each, faults, immutable, nonEmpty, present } from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../../meta/v1/field-error.ts'
import { byteLength, dnsSubdomainFaults, labelKeyFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, integer, nameColumn, orNone, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { CSIDriver, CSINode, StorageClass, VolumeAttachment, VolumeAttributesClass } from './zz_generated.types.ts'

const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]
const maxParameters = 512
const maxParameterBytes = 256 * 1024

export const storageClassRules: Rules<StorageClass> = {
  returnsDeleted: true,
  validate: ({ provisioner, parameters, allowedTopologies }) => [
    ...nonEmpty('provisioner', provisioner),
    ...(provisioner ? faults('provisioner', provisioner.toLowerCase(), labelKeyFaults) : []),
    ...parameterErrors('parameters', parameters),
    ...each('allowedTopologies', allowedTopologies, (at, { matchLabelExpressions }) =>
      each(`${at}.matchLabelExpressions`, matchLabelExpressions, (field, { key, values }) => [
        ...present(`${field}.values`, values),
        ...faults(`${field}.key`, key ?? '', labelKeyFaults),
      ]),
    ),
  ],
  warnings: ({ allowedTopologies }) =>
    (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, at) =>
      termWarnings(`allowedTopologies[${at}]`, { matchExpressions: matchLabelExpressions as never }).map((warning) =>
        warning.replace('.matchExpressions[', '.matchLabelExpressions['),
      ),
    ),
  validateUpdate: (storageClass, old) => [
    ...frozen('parameters', storageClass.parameters, old.parameters),
    ...frozen('provisioner', storageClass.provisioner, old.provisioner),
    ...frozen('reclaimPolicy', storageClass.reclaimPolicy, old.reclaimPolicy),
    ...immutable('volumeBindingMode', storageClass.volumeBindingMode, old.volumeBindingMode),
  ],
  print: printer<StorageClass>(
    {
      ...nameColumn,
      of: ({ metadata }) => {
        const isDefault = defaultAnnotations.some((key) => metadata.annotations?.[key] === 'true')
        return isDefault ? `${metadata.name} (default)` : (metadata.name ?? '')
      },
    },
    column('Provisioner', ({ provisioner }) => provisioner),
    column('ReclaimPolicy', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
    column('VolumeBindingMode', ({ volumeBindingMode }) => volumeBindingMode ?? '<unset>'),
    column('AllowVolumeExpansion', ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false),
    ageColumn,
  ),
}

const frozen = (field: string, value: unknown, old: unknown): FieldError[] =>
  isSame(value, old) ? [] : [forbidden(field, `updates to ${field} are forbidden.`)]

export const volumeAttributesClassRules: Rules<VolumeAttributesClass> = {
  returnsDeleted: true,
  validate: ({ driverName, parameters }) => [
    ...csiDriverNameErrors('driverName', driverName),
    ...(Object.keys(parameters ?? {}).length === 0
      ? [required('parameters', 'must contain at least one key/value pair')]
      : parameterErrors('parameters', parameters)),
  ],
  validateUpdate: (one, old) => [
    ...frozen('driverName', one.driverName, old.driverName),
    ...frozen('parameters', one.parameters, old.parameters),
  ],
}

export const volumeAttachmentRules: Rules<VolumeAttachment> = {
  returnsDeleted: true,
  prepareCreate(attachment) {
    attachment.status = { attached: false }
    delete attachment.metadata.generation
  },
  changesGeneration: () => false,
  validate({ spec }) {
    if (!spec) return []
    const { inlineVolumeSpec, persistentVolumeName } = spec.source ?? {}
    const at = 'spec.source'
    return [
      ...csiDriverNameErrors('spec.attacher', spec.attacher),
      ...(inlineVolumeSpec === undefined && !persistentVolumeName
        ? [required(at, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')]
        : []),
      ...(inlineVolumeSpec !== undefined && persistentVolumeName
        ? [forbidden(at, 'must specify exactly one of inlineVolumeSpec and persistentVolumeName')]
        : []),
      ...(spec.nodeName === undefined ? [] : faults('spec.nodeName', spec.nodeName, dnsSubdomainFaults)),
    ]
  },
  validateUpdate: ({ spec }, old) => immutable('spec', spec, old.spec),
  print: printer<VolumeAttachment>(
    nameColumn,
    column('Attacher', ({ spec }) => spec.attacher),
    column('PV', ({ spec }) => spec.source?.persistentVolumeName ?? ''),
    column('Node', ({ spec }) => spec.nodeName),
    column('Attached', ({ status }) => status?.attached ?? false, { type: 'boolean' }),
    ageColumn,
  ),
}

export const csiDriverRules: Rules<CSIDriver> = {
  returnsDeleted: true,
  validate: ({ metadata }) => csiDriverNameErrors('metadata.name', metadata.name),
  validateUpdate: ({ spec }, old) => [
    ...immutable('spec.attachRequired', spec.attachRequired, old.spec.attachRequired),
    ...immutable('spec.fsGroupPolicy', spec.fsGroupPolicy, old.spec.fsGroupPolicy),
    ...immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.spec.volumeLifecycleModes),
  ],
  print: printer<CSIDriver>(
    nameColumn,
    column('AttachRequired', ({ spec }) => spec.attachRequired ?? true, { type: 'boolean' }),
    column('PodInfoOnMount', ({ spec }) => spec.podInfoOnMount ?? false, { type: 'boolean' }),
    column('StorageCapacity', ({ spec }) => spec.storageCapacity ?? false, { type: 'boolean' }),
    column('TokenRequests', ({ spec }) => spec.tokenRequests?.map(({ audience }) => audience).join(',') || '<unset>'),
    column('RequiresRepublish', ({ spec }) => spec.requiresRepublish ?? false, { type: 'boolean' }),
    column('Modes', ({ spec }) => orNone(spec.volumeLifecycleModes?.join(','))),
    ageColumn,
  ),
}

export const csiNodeRules: Rules<CSINode> = {
  returnsDeleted: true,
  validate({ spec }) {
    const names = new Set<string>()
    return each('spec.drivers', spec?.drivers, (at, { name, nodeID, topologyKeys, allocatable }) => {
      const repeated = names.has(name) ? [duplicate(`${at}.name`, name)] : []
      names.add(name)
      return [
        ...csiDriverNameErrors(`${at}.name`, name),
        ...nonEmpty(`${at}.nodeID`, nodeID),
        ...((nodeID?.length ?? 0) > 256 ? [tooLong(`${at}.nodeID`, 256)] : []),
        ...each(`${at}.topologyKeys`, topologyKeys, (key, text) => faults(key, text, labelKeyFaults)),
        ...((allocatable?.count ?? 0) < 0
          ? [invalid(`${at}.allocatable.count`, allocatable?.count, 'must be greater than or equal to 0')]
          : []),
        ...repeated,
      ]
    })
  },
  print: printer<CSINode>(
    nameColumn,
    integer('Drivers', ({ spec }) => spec?.drivers?.length ?? 0),
    ageColumn,
  ),
}

function parameterErrors(field: string, parameters: Readonly<Record<string, string>> | undefined): FieldError[] {
  const entries = Object.entries(parameters ?? {})
  const bytes = entries.reduce((total, [key, value]) => total + byteLength(key) + byteLength(value), 0)
  return [
    ...(entries.length > maxParameters ? [tooLong(field, maxParameters)] : []),
    ...entries.filter(([key]) => key === '').map(([key]) => invalid(field, key, 'field can not be empty.')),
    ...(bytes > maxParameterBytes ? [tooLong(field, maxParameterBytes)] : []),
  ]
}

export const storageRules = new Map<string, unknown>([
  ['storage.k8s.io/csidrivers', csiDriverRules],
  ['storage.k8s.io/csinodes', csiNodeRules],
  ['storage.k8s.io/storageclasses', storageClassRules],
  ['storage.k8s.io/volumeattachments', volumeAttachmentRules],
  ['storage.k8s.io/volumeattributesclasses', volumeAttributesClassRules],
]) as ReadonlyMap<string, Rules>
