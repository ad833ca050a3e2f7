import {
  descendingPath,
  each,
  inRange,
  labelSelectorErrors,
  named,
  noBacksteps,
  nonEmpty,
  optionalFaults,
  present,
} from '../../meta/v1/field-checks.ts'
import { duplicate, type FieldError, forbidden, invalid, required, tooLong } from '../../meta/v1/field-error.ts'
import { dnsLabelFaults, dnsSubdomainFaults } from '../../meta/v1/names.ts'
import { claimTemplateErrors } from './validate-claim.ts'
import { fieldRefErrors, resourceFieldRefErrors, volumeFields } from './validate-env.ts'
import { amountOf } from './validate-resources.ts'
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  EphemeralVolumeSource,
  FCVolumeSource,
  ISCSIVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
  VolumeProjection,
} from './zz_generated.types.ts'

/**
 * Errors of the volumes of a pod.
 * @param podName empty in templates, where claims of ephemeral volumes have no names yet
 */
export function volumeErrors(field: string, volumes: readonly Volume[] | undefined, podName: string): FieldError[] {
  const seen = new Set<string>()
  const ownClaims = new Set(
    podName ? volumes?.filter((one) => one.ephemeral).map((one) => `${podName}-${one.name}`) : [],
  )
  return each(field, volumes, (at, volume) => {
    const errors = [...sourceErrors(at, volume, podName), ...named(`${at}.name`, volume.name, dnsLabelFaults)]
    if (seen.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name))
    if (errors.length === 0) seen.add(volume.name)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim && ownClaims.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume'
      errors.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail))
    }
    return errors
  })
}

/** Names of those volumes that containers can mount, because nothing is wrong with them. */
export function mountableVolumes(volumes: readonly Volume[] | undefined): ReadonlyMap<string, Volume> {
  const mountable = new Map<string, Volume>()
  for (const volume of volumes ?? []) {
    const isSound = sourceErrors('', volume, '').length === 0 && named('', volume.name, dnsLabelFaults).length === 0
    if (isSound && !mountable.has(volume.name)) mountable.set(volume.name, volume)
  }
  return mountable
}

type SourceName = Exclude<keyof Volume, 'name'>
type SourceCheck<N extends SourceName> = (
  field: string,
  source: NonNullable<Volume[N]>,
  volume: Volume,
  podName: string,
) => FieldError[]

/** Checks of each source, in the order in which two in one volume are told apart. */
const sourceChecks: { readonly [N in SourceName]-?: SourceCheck<N> } = {
  emptyDir: (field, { sizeLimit }) => {
    const amount = amountOf(sizeLimit)
    if (!amount || amount.nano >= 0n) return []
    return [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
  },
  hostPath: (field, { path }) => (path ? noBacksteps(`${field}.path`, path) : nonEmpty(`${field}.path`, path)),
  gitRepo: (field, { repository, directory }) => [
    ...nonEmpty(`${field}.repository`, repository),
    ...descendingPath(`${field}.directory`, directory),
  ],
  gcePersistentDisk: (field, { pdName, partition }) => [
    ...nonEmpty(`${field}.pdName`, pdName),
    ...partitionErrors(`${field}.partition`, partition),
  ],
  awsElasticBlockStore: (field, { volumeID, partition }) => [
    ...nonEmpty(`${field}.volumeID`, volumeID),
    ...partitionErrors(`${field}.partition`, partition),
  ],
  secret: (field, { secretName, defaultMode, items }) => [
    ...present(`${field}.secretName`, secretName),
    ...modeErrors(`${field}.defaultMode`, defaultMode),
    ...each(`${field}.items`, items, keyToPathErrors),
  ],
  nfs: (field, { server, path }) => [
    ...nonEmpty(`${field}.server`, server),
    ...nonEmpty(`${field}.path`, path),
    ...(path === undefined || path.startsWith('/') ? [] : [invalid(`${field}.path`, path, 'must be an absolute path')]),
  ],
  iscsi: iscsiErrors,
  glusterfs: (field, { endpoints, path }) => [
    ...nonEmpty(`${field}.endpoints`, endpoints),
    ...nonEmpty(`${field}.path`, path),
  ],
  flocker: flockerErrors,
  persistentVolumeClaim: (field, { claimName }) => nonEmpty(`${field}.claimName`, claimName),
  rbd: (field, { monitors, image }) => [...monitorErrors(field, monitors), ...nonEmpty(`${field}.image`, image)],
  cinder: (field, { volumeID, secretRef }) => [
    ...nonEmpty(`${field}.volumeID`, volumeID),
    ...(secretRef ? present(`${field}.secretRef.name`, secretRef.name) : []),
  ],
  cephfs: (field, { monitors }) => monitorErrors(field, monitors),
  quobyte: (field, { registry, volume }) => [
    ...nonEmpty(`${field}.registry`, registry, 'must be a host:port pair or multiple pairs separated by commas'),
    ...nonEmpty(`${field}.volume`, volume),
  ],
  downwardAPI: (field, { defaultMode, items }) => [
    ...modeErrors(`${field}.defaultMode`, defaultMode),
    ...(items ?? []).flatMap((file) => downwardFileErrors(field, file)),
  ],
  fc: fcErrors,
  flexVolume: (field, { driver, options }) => [
    ...nonEmpty(`${field}.driver`, driver),
    ...flexOptionErrors(field, options),
  ],
  configMap: (field, { name, defaultMode, items }) => [
    ...present(`${field}.name`, name),
    ...modeErrors(`${field}.defaultMode`, defaultMode),
    ...each(`${field}.items`, items, keyToPathErrors),
  ],
  azureFile: (field, { secretName, shareName }) => [
    ...nonEmpty(`${field}.secretName`, secretName),
    ...nonEmpty(`${field}.shareName`, shareName),
  ],
  vsphereVolume: (field, { volumePath }) => nonEmpty(`${field}.volumePath`, volumePath),
  photonPersistentDisk: (field, { pdID }) => nonEmpty(`${field}.pdID`, pdID),
  portworxVolume: (field, { volumeID }) => nonEmpty(`${field}.volumeID`, volumeID),
  azureDisk: (field, { diskName, diskURI }) => [
    ...nonEmpty(`${field}.diskName`, diskName),
    ...nonEmpty(`${field}.diskURI`, diskURI),
  ],
  storageos: (field, { volumeName, volumeNamespace }) => [
    ...present(`${field}.volumeName`, volumeName),
    ...optionalFaults(`${field}.volumeName`, volumeName, dnsLabelFaults),
    ...optionalFaults(`${field}.volumeNamespace`, volumeNamespace, dnsLabelFaults),
  ],
  projected: projectedErrors,
  scaleIO: (field, { gateway, system, volumeName }) => [
    ...nonEmpty(`${field}.gateway`, gateway),
    ...nonEmpty(`${field}.system`, system),
    ...present(`${field}.volumeName`, volumeName),
  ],
  csi: (field, { driver, nodePublishSecretRef }) => [
    ...csiDriverNameErrors(`${field}.driver`, driver),
    ...(nodePublishSecretRef ? present(`${field}.nodePublishSecretRef.name`, nodePublishSecretRef.name) : []),
  ],
  ephemeral: ephemeralErrors,
  image: (field, { reference }) => present(`${field}.reference`, reference),
}

function sourceErrors(field: string, volume: Volume, podName: string): FieldError[] {
  const [first, ...others] = (Object.keys(sourceChecks) as SourceName[]).filter((name) => volume[name] !== undefined)
  if (!first) return [required(field, 'must specify a volume type')]
  const check = sourceChecks[first] as SourceCheck<SourceName>
  return [
    ...check(`${field}.${first}`, volume[first]!, volume, podName),
    ...others.map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 volume type')),
  ]
}

const partitionErrors = (field: string, partition: number | undefined) =>
  partition === undefined || (partition >= 0 && partition <= 255)
    ? []
    : [invalid(field, partition, 'must be between 1 and 255, inclusive')]

const monitorErrors = (field: string, monitors: readonly string[] | undefined) =>
  monitors?.length === 0 ? [required(`${field}.monitors`)] : []

export function modeErrors(field: string, mode: number | undefined): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return []
  return [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
}

function keyToPathErrors(field: string, { key, path, mode }: KeyToPath): FieldError[] {
  return [
    ...nonEmpty(`${field}.key`, key),
    ...nonEmpty(`${field}.path`, path),
    ...descendingPath(`${field}.path`, path, true),
    ...modeErrors(`${field}.mode`, mode),
  ]
}

function downwardFileErrors(
  field: string,
  { path, fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile,
): FieldError[] {
  const errors = [...nonEmpty(`${field}.path`, path), ...descendingPath(`${field}.path`, path, true)]
  if (fieldRef) {
    errors.push(...fieldRefErrors(`${field}.fieldRef`, fieldRef, volumeFields))
    if (resourceFieldRef) {
      errors.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
    }
  } else if (resourceFieldRef) {
    errors.push(...resourceFieldRefErrors(`${field}.resourceFieldRef`, resourceFieldRef, true))
  } else errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'))
  return [...errors, ...modeErrors(`${field}.mode`, mode)]
}

function projectedErrors(field: string, { defaultMode, sources }: ProjectedVolumeSource): FieldError[] {
  const paths = new Set<string>()
  return [
    ...modeErrors(`${field}.defaultMode`, defaultMode),
    ...each(`${field}.sources`, sources, (at, source) => [
      ...projectionErrors(field, at, source),
      ...conflictErrors(field, source, paths),
    ]),
  ]
}

function projectionErrors(field: string, at: string, source: VolumeProjection): FieldError[] {
  const { secret, configMap, downwardAPI, serviceAccountToken, clusterTrustBundle } = source
  const errors: FieldError[] = []
  for (const [kind, projection] of Object.entries({ secret, configMap })) {
    if (!projection) continue
    errors.push(...present(`${at}.${kind}.name`, projection.name))
    errors.push(...each(`${at}.${kind}.items`, projection.items, keyToPathErrors))
  }
  for (const file of downwardAPI?.items ?? []) errors.push(...downwardFileErrors(`${at}.downwardAPI`, file))
  if (serviceAccountToken) errors.push(...tokenErrors(field, `${at}.serviceAccountToken`, serviceAccountToken))
  if (clusterTrustBundle) errors.push(...trustBundleErrors(`${at}.clusterTrustBundle`, clusterTrustBundle))
  if (Object.values(source).filter((one) => one !== undefined).length > 1) {
    errors.push(forbidden(at, 'may not specify more than 1 volume type per source'))
  }
  return errors
}

/** Kubernetes reports the path of a token at the volume, not at the source. */
function tokenErrors(
  field: string,
  at: string,
  { expirationSeconds, path }: ServiceAccountTokenProjection,
): FieldError[] {
  const errors: FieldError[] = []
  const seconds = expirationSeconds ?? 3600
  if (seconds < 600) {
    errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
  }
  if (seconds > 2 ** 32) {
    errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
  }
  return [...errors, ...nonEmpty(`${field}.path`, path), ...descendingPath(`${field}.path`, path, true)]
}

function trustBundleErrors(
  field: string,
  { name, signerName, labelSelector, path }: ClusterTrustBundleProjection,
): FieldError[] {
  const errors = [...nonEmpty(`${field}.path`, path), ...descendingPath(`${field}.path`, path, true)]
  if (name !== undefined && signerName !== undefined) {
    return [...errors, invalid(field, { name, signerName }, 'only one of name and signerName may be used')]
  }
  if (name === undefined && signerName === undefined) {
    return [...errors, required(field, 'either name or signerName must be specified')]
  }
  if (name !== undefined) {
    if (labelSelector) {
      errors.push(invalid(`${field}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified'))
    }
    return [...errors, ...nonEmpty(`${field}.name`, name, 'must be a valid object name')]
  }
  return [
    ...errors,
    ...nonEmpty(`${field}.signerName`, signerName, 'must be a valid signer name'),
    ...labelSelectorErrors(`${field}.labelSelector`, labelSelector),
  ]
}

function conflictErrors(field: string, source: VolumeProjection, paths: Set<string>): FieldError[] {
  const { secret, configMap, downwardAPI, clusterTrustBundle } = source
  const claims = [
    ...(secret?.items ?? []).map(({ path }) => ({ path, owner: secret!.name })),
    ...(configMap?.items ?? []).map(({ path }) => ({ path, owner: configMap!.name })),
    ...(downwardAPI?.items ?? []).map(({ path }) => ({ path, owner: path })),
    ...(clusterTrustBundle ? [{ path: clusterTrustBundle.path, owner: clusterTrustBundle.path }] : []),
  ]
  const errors: FieldError[] = []
  for (const { path, owner } of claims) {
    if (!path) continue
    if (paths.has(path)) errors.push(invalid(field, owner, 'conflicting duplicate paths'))
    paths.add(path)
  }
  return errors
}

const initiatorSyntax = /^(iqn\.\d{4}-\d{2}\.[A-Za-z0-9.-]+(:[^,;*&$|\s]+)?|eui\.[A-Za-z0-9]{16}|naa\.[A-Za-z0-9]{32})$/

function iscsiErrors(field: string, source: ISCSIVolumeSource): FieldError[] {
  const { targetPortal, iqn, lun, chapAuthDiscovery, chapAuthSession, secretRef, initiatorName } = source
  return [
    ...nonEmpty(`${field}.targetPortal`, targetPortal),
    ...nonEmpty(`${field}.iqn`, iqn),
    ...(iqn ? initiatorErrors(`${field}.iqn`, iqn) : []),
    ...inRange(`${field}.lun`, lun, 0, 255),
    ...((chapAuthDiscovery || chapAuthSession) && !secretRef ? [required(`${field}.secretRef`)] : []),
    ...(initiatorName ? initiatorErrors(`${field}.initiatorname`, initiatorName) : []),
  ]
}

function initiatorErrors(field: string, name: string): FieldError[] {
  if (!/^(iqn|eui|naa)/.test(name)) return [invalid(field, name, 'must be valid format starting with iqn, eui, or naa')]
  return initiatorSyntax.test(name) ? [] : [invalid(field, name, 'must be valid format')]
}

function flockerErrors(field: string, { datasetName, datasetUUID }: NonNullable<Volume['flocker']>): FieldError[] {
  if (!datasetName && !datasetUUID) return [required(field, 'one of datasetName and datasetUUID is required')]
  if (datasetName && datasetUUID) {
    return [invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously')]
  }
  return datasetName?.includes('/') ? [invalid(`${field}.datasetName`, datasetName, "must not contain '/'")] : []
}

function fcErrors(field: string, { targetWWNs, wwids, lun }: FCVolumeSource): FieldError[] {
  const at = `${field}.targetWWNs`
  if (!targetWWNs?.length) {
    return wwids?.length ? [] : [required(at, 'must specify either targetWWNs or wwids, but not both')]
  }
  return [
    ...(wwids?.length ? [invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')] : []),
    ...(lun === undefined ? [required(`${field}.lun`, 'lun is required if targetWWNs is specified')] : []),
    ...inRange(`${field}.lun`, lun, 0, 255),
  ]
}

function flexOptionErrors(field: string, options: Readonly<Record<string, string>> | undefined): FieldError[] {
  return Object.keys(options ?? {})
    .filter((key) => /(^|\.)(kubernetes|k8s)\.io$/i.test(key.includes('/') ? key.slice(0, key.indexOf('/')) : key))
    .map((key) => invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'))
}

export function csiDriverNameErrors(field: string, driver: string | undefined): FieldError[] {
  if (driver === undefined) return []
  return [
    ...nonEmpty(field, driver),
    ...(driver.length > 63 ? [tooLong(field, 63)] : []),
    ...dnsSubdomainFaults(driver.toLowerCase()).map((fault) => invalid(field, driver, fault)),
  ]
}

function ephemeralErrors(field: string, source: EphemeralVolumeSource, volume: Volume, podName: string): FieldError[] {
  const template = source.volumeClaimTemplate
  if (!template) return [required(`${field}.volumeClaimTemplate`)]
  const errors = claimTemplateErrors(`${field}.volumeClaimTemplate`, template)
  if (!podName || !volume.name) return errors
  const claim = `${podName}-${volume.name}`
  const at = `${field.slice(0, -'.ephemeral'.length)}.name`
  return [
    ...errors,
    ...dnsSubdomainFaults(claim).map((fault) => invalid(at, volume.name, `PVC name "${claim}": ${fault}`)),
  ]
}
