import { nonEmpty, positive } from '../../meta/v1/field-checks.ts'
import { type FieldError, forbidden, invalid, required } from '../../meta/v1/field-error.ts'
import { portNameFaults, portNumberFaults } from '../../meta/v1/names.ts'
import type { IntOrString } from '../../meta/v1/zz_generated.types.ts'
import type { Container, HTTPGetAction, LifecycleHandler, Probe, SleepAction } from './zz_generated.types.ts'

/** Errors of what the node does to a container while it runs: probes and handlers of its life cycle. */

type ProbeName = 'livenessProbe' | 'readinessProbe' | 'startupProbe'

export const probeNames = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const satisfies readonly ProbeName[]

/** @param graceSeconds how long the pod may take to end: no handler may sleep longer */
export function lifecycleErrors(
  field: string,
  { lifecycle }: Container,
  graceSeconds: number | undefined,
): FieldError[] {
  return (['postStart', 'preStop'] as const).flatMap((hook) => {
    const handler = lifecycle?.[hook]
    return handler ? handlerErrors(`${field}.lifecycle.${hook}`, handler, lifecycleHandlers, graceSeconds) : []
  })
}

export function probesErrors(field: string, container: Container): FieldError[] {
  return probeNames.flatMap((name) => {
    const probe = container[name]
    return probe ? probeErrors(`${field}.${name}`, probe, name === 'readinessProbe') : []
  })
}

function probeErrors(field: string, probe: Probe, ofReadiness: boolean): FieldError[] {
  const { successThreshold, terminationGracePeriodSeconds } = probe
  const errors = [
    ...handlerErrors(field, probe, probeHandlers, undefined),
    ...positive(`${field}.terminationGracePeriodSeconds`, terminationGracePeriodSeconds),
  ]
  if (ofReadiness && terminationGracePeriodSeconds !== undefined) {
    const at = `${field}.terminationGracePeriodSeconds`
    errors.push(invalid(at, terminationGracePeriodSeconds, 'must not be set for readinessProbes'))
  }
  if (!ofReadiness && successThreshold !== undefined && successThreshold > 1) {
    errors.push(invalid(`${field}.successThreshold`, successThreshold, 'must be 1'))
  }
  return errors
}

type Handler = LifecycleHandler & Probe
type HandlerName = 'exec' | 'httpGet' | 'tcpSocket' | 'grpc' | 'sleep'

const probeHandlers: readonly HandlerName[] = ['exec', 'httpGet', 'tcpSocket', 'grpc']
const lifecycleHandlers: readonly HandlerName[] = ['exec', 'httpGet', 'tcpSocket', 'sleep']

function handlerErrors(
  field: string,
  handler: Handler,
  names: readonly HandlerName[],
  graceSeconds: number | undefined,
): FieldError[] {
  const [first, ...others] = names.filter((name) => handler[name] !== undefined)
  if (!first) return [required(field, 'must specify a handler type')]
  return [
    ...oneHandlerErrors(`${field}.${first}`, first, handler, graceSeconds),
    ...others.map((name) => forbidden(`${field}.${name}`, 'may not specify more than 1 handler type')),
  ]
}

function oneHandlerErrors(
  field: string,
  name: HandlerName,
  handler: Handler,
  graceSeconds: number | undefined,
): FieldError[] {
  switch (name) {
    case 'exec':
      return handler.exec?.command?.length ? [] : [required(`${field}.command`)]
    case 'httpGet':
      return httpGetErrors(field, handler.httpGet!)
    case 'tcpSocket':
      return portErrors(`${field}.port`, handler.tcpSocket!.port)
    case 'grpc':
      return portErrors(`${field}.port`, handler.grpc!.port)
    case 'sleep':
      return sleepErrors(field, handler.sleep!, graceSeconds)
  }
}

function httpGetErrors(field: string, { path, port, httpHeaders }: HTTPGetAction): FieldError[] {
  return [
    ...nonEmpty(`${field}.path`, path),
    ...portErrors(`${field}.port`, port),
    ...(httpHeaders ?? [])
      .filter(({ name }) => name !== undefined && !/^[-A-Za-z0-9]+$/.test(name))
      .map(({ name }) => invalid(`${field}.httpHeaders`, name, headerFault)),
  ]
}

const headerFault =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"

/** Errors of a port by number or by name. Absence is the schema's to tell. */
export function portErrors(field: string, port: IntOrString | undefined): FieldError[] {
  if (port === undefined) return []
  const faults = typeof port === 'number' ? portNumberFaults(port) : portNameFaults(port)
  return faults.map((fault) => invalid(field, port, fault))
}

function sleepErrors(field: string, { seconds }: SleepAction, graceSeconds: number | undefined): FieldError[] {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return []
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`
  return [invalid(field, seconds, detail)]
}
