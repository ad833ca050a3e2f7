import { isSame } from '../../meta/v1/equality.ts'
import { immutable, keyOf, optionalFaults } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../meta/v1/field-error.ts'
import { dnsSubdomainFaults } from '../../meta/v1/names.ts'
import { ageColumn, column, nameColumn, printer, wide } from '../../meta/v1/printing.ts'
import { canonicalQuantity, compareQuantities } from '../../meta/v1/quantity.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { KubeObject, ObjectMeta } from '../../meta/v1/types.ts'
import { termWarnings } from './node-label-warnings.ts'
import { claimSpecWarnings } from './pod-warnings.ts'
import { accessModeErrors, claimSpecErrors } from './validate-claim.ts'
import { amountOf } from './validate-resources.ts'
import { nodeSelectorErrors } from './validate-scheduling.ts'
import { csiDriverNameErrors } from './validate-volumes.ts'
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec } from './zz_generated.types.ts'

/** Fields of a volume's spec that do not name the storage itself. */
const ownFields: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

export const persistentVolumeRules: Rules<PersistentVolume> = {
  prepareCreate(volume) {
    volume.status = { phase: 'Pending' }
    delete volume.metadata.generation
  },
  validate: ({ spec }) => volumeSpecErrors('spec', spec ?? {}),
  validateUpdate({ spec = {} }, { spec: old = {} }) {
    return [
      ...(isSame(storageOf(spec, old), storageOf(old, old))
        ? []
        : [forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation')]),
      ...immutable('volumeMode', spec.volumeMode, old.volumeMode),
      ...(old.nodeAffinity ? immutable('nodeAffinity', spec.nodeAffinity, old.nodeAffinity) : []),
      ...(old.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined
        ? [forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden')]
        : []),
    ]
  },
  changesGeneration: () => false,
  returnsDeleted: true,
  warnings: volumeWarnings,
  print: printer<PersistentVolume>(
    nameColumn,
    column('Capacity', ({ spec }) => quantityText(spec?.capacity?.storage)),
    column('Access Modes', ({ spec }) => modesText(spec?.accessModes)),
    column('Reclaim Policy', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
    column('Status', phaseText),
    column('Claim', ({ spec }) => (spec?.claimRef ? `${spec.claimRef.namespace}/${spec.claimRef.name}` : '')),
    column('StorageClass', classText),
    column('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    column('Reason', ({ status }) => status?.reason ?? ''),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ),
}

export const persistentVolumeClaimRules: Rules<PersistentVolumeClaim> = {
  default({ spec }) {
    if (!spec) return
    if (spec.dataSource) spec.dataSourceRef ??= { ...spec.dataSource }
    else if (spec.dataSourceRef && !spec.dataSourceRef.namespace && isClassicSource(spec.dataSourceRef)) {
      const { namespace: _, ...source } = spec.dataSourceRef
      spec.dataSource = source
    }
  },
  prepareCreate(claim) {
    claim.status = { phase: 'Pending' }
    delete claim.metadata.generation
  },
  validate: ({ spec }) => claimSpecErrors('spec', spec),
  validateUpdate: claimUpdateErrors,
  changesGeneration: () => false,
  returnsDeleted: true,
  warnings: ({ metadata, spec }) => [...legacyClassWarnings(metadata), ...claimSpecWarnings('spec', spec)],
  print: printer<PersistentVolumeClaim>(
    nameColumn,
    column('Status', phaseText),
    column('Volume', ({ spec }) => spec?.volumeName ?? ''),
    column('Capacity', ({ spec, status }) => (spec?.volumeName ? quantityText(status?.capacity?.storage) : '')),
    column('Access Modes', ({ spec, status }) => (spec?.volumeName ? modesText(status?.accessModes) : '')),
    column('StorageClass', classText),
    column('VolumeAttributesClass', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
    ageColumn,
    wide('VolumeMode', ({ spec }) => spec?.volumeMode ?? '<unset>'),
  ),
}

function legacyClassWarnings({ annotations }: ObjectMeta): string[] {
  if (annotations?.[legacyClass] === undefined) return []
  return [`metadata.annotations[${legacyClass}]: deprecated since v1.8; use "storageClassName" attribute instead`]
}

const outdatedSources = new Map([
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
])

function volumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []
  return [
    ...legacyClassWarnings(metadata),
    ...(spec?.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...terms.flatMap((term, at) => termWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${at}]`, term)),
    ...Object.keys(spec ?? {}).flatMap((source) => {
      const warning = outdatedSources.get(source)
      return warning ? [`spec.persistentVolumeSource.${source}: ${warning}`] : []
    }),
  ]
}

/** Claims and snapshots could be named before anything else could. */
const isClassicSource = ({ apiGroup = '', kind }: { apiGroup?: string; kind: string }) =>
  (apiGroup === '' && kind === 'PersistentVolumeClaim') ||
  (apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot')

function volumeSpecErrors(field: string, spec: PersistentVolumeSpec): FieldError[] {
  const sources = Object.keys(spec).filter((name) => !ownFields.has(name))
  return [
    ...accessModeErrors(`${field}.accessModes`, spec.accessModes),
    ...capacityErrors(`${field}.capacity`, spec.capacity ?? {}),
    ...(spec.nodeAffinity ? nodeAffinityErrors(`${field}.nodeAffinity`, spec.nodeAffinity) : []),
    ...(sources.length === 0 ? [required(field, 'must specify a volume type')] : []),
    ...sources.slice(1).map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 volume type')),
    ...storageErrors(field, spec),
    ...optionalFaults(`${field}.storageClassName`, spec.storageClassName, dnsSubdomainFaults),
    ...optionalFaults(`${field}.volumeAttributesClassName`, spec.volumeAttributesClassName, dnsSubdomainFaults),
  ]
}

function storageErrors(field: string, spec: PersistentVolumeSpec): FieldError[] {
  const { hostPath, local, nfs, csi, persistentVolumeReclaimPolicy } = spec
  const errors = csiDriverNameErrors(`${field}.csi.driver`, csi?.driver)
  if (csi?.volumeHandle === '') errors.push(required(`${field}.csi.volumeHandle`))
  for (const [name, source] of Object.entries({ hostPath, local })) {
    if (source?.path === '') errors.push(required(`${field}.${name}.path`))
    if (source?.path?.split('/').includes('..')) {
      errors.push(invalid(`${field}.${name}.path`, source.path, "must not contain '..'"))
    }
  }
  if (nfs?.path !== undefined && !nfs.path.startsWith('/')) {
    errors.push(invalid(`${field}.nfs.path`, nfs.path, 'must be an absolute path'))
  }
  if (local && !spec.nodeAffinity?.required) {
    errors.push(required(`${field}.nodeAffinity`, 'Local volume requires node affinity'))
  }
  if (hostPath && /^\/+$/.test(hostPath.path ?? '') && persistentVolumeReclaimPolicy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'"
    errors.push(forbidden(`${field}.persistentVolumeReclaimPolicy`, detail))
  }
  return errors
}

function capacityErrors(field: string, capacity: Readonly<Record<string, string | number>>): FieldError[] {
  const names = Object.keys(capacity)
  const errors = names.length === 0 ? [required(field)] : []
  if (names.length !== 1 || names[0] !== 'storage') errors.push(notSupported(field, capacity, ['storage']))
  for (const [name, quantity] of Object.entries(capacity)) {
    const amount = amountOf(quantity)
    if (amount && amount.nano <= 0n) {
      errors.push(invalid(keyOf(field, name), canonicalQuantity(quantity), 'must be greater than zero'))
    }
  }
  return errors
}

function nodeAffinityErrors(
  field: string,
  { required: needs }: NonNullable<PersistentVolumeSpec['nodeAffinity']>,
): FieldError[] {
  if (!needs) return [required(`${field}.required`, 'must specify required node constraints')]
  return nodeSelectorErrors(`${field}.required`, needs)
}

/** What names the storage; a secret for its expansion may be added later. */
function storageOf(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): Record<string, unknown> {
  const storage: Record<string, unknown> = Object.fromEntries(
    Object.entries(spec).filter(([name]) => !ownFields.has(name)),
  )
  if (spec.csi && !old.csi?.controllerExpandSecretRef)
    storage.csi = { ...spec.csi, controllerExpandSecretRef: undefined }
  return storage
}

function claimUpdateErrors(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  subresource: string,
): FieldError[] {
  if (subresource !== '') return []
  const [spec, before] = [claim.spec ?? {}, old.spec ?? {}]
  const isBound = old.status?.phase === 'Bound'
  const kept = {
    ...spec,
    ...(!before.volumeName && { volumeName: before.volumeName }),
    ...(before.storageClassName === undefined && { storageClassName: undefined }),
    ...(isBound && { volumeAttributesClassName: before.volumeAttributesClassName }),
    ...(isBound && {
      resources: {
        ...spec.resources,
        requests: { ...spec.resources?.requests, storage: before.resources?.requests?.storage },
      },
    }),
  }
  const errors = isSame(kept, before) ? [] : [forbidden('spec', immutableClaim)]
  return [...errors, ...shrinkErrors(claim, old), ...immutable('volumeMode', spec.volumeMode, before.volumeMode)]
}

const immutableClaim =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

/** A request that could not be fulfilled may be taken back, down to what there is. */
function shrinkErrors({ spec }: PersistentVolumeClaim, { spec: before, status }: PersistentVolumeClaim): FieldError[] {
  const [wanted, old] = [amountOf(spec?.resources?.requests?.storage), amountOf(before?.resources?.requests?.storage)]
  const actual = amountOf(status?.capacity?.storage)
  if (!wanted || !old || compareQuantities(wanted, old) >= 0) return []
  if (actual && compareQuantities(wanted, actual) > 0) return []
  return [forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')]
}

const quantityText = (quantity: string | number | undefined) => (quantity === undefined ? '' : String(quantity))

function phaseText({ metadata, status }: KubeObject & { status?: { phase?: string } }): string {
  return metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')
}

const legacyClass = 'volume.beta.kubernetes.io/storage-class'

function classText({ metadata, spec }: KubeObject & { spec?: { storageClassName?: string } }): string {
  return metadata.annotations?.[legacyClass] ?? spec?.storageClassName ?? ''
}

const modeWords = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' } as const

function modesText(modes: readonly string[] | undefined): string {
  const words = Object.entries(modeWords).filter(([mode]) => modes?.includes(mode))
  return words.map(([, word]) => word).join(',')
}
