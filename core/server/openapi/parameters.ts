/** The parameters of operations, as both versions of OpenAPI describe them. */
export interface Parameter {
  name: string
  in: 'path' | 'query'
  description: string
  type: 'string' | 'integer' | 'boolean'
  /** Query parameters that take several values. */
  repeated?: true
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  description,
  type,
})
const path = (name: string, description: string): Parameter => ({ name, in: 'path', description, type: 'string' })

export const pretty = query('pretty', 'string', 'If true, the answer is indented.')
export const name = (kind: string) => path('name', `name of the ${kind}`)
export const namespace = path('namespace', 'object name and auth scope, such as for teams and projects')
export const proxyPath = path('path', 'path to the resource')

const dryRun = query('dryRun', 'string', 'All checks the request in full and changes nothing.')
const fieldManager = query('fieldManager', 'string', 'Names who makes the change.')
const fieldValidation = query(
  'fieldValidation',
  'string',
  'What to do about unknown and duplicate fields: Ignore, Warn (the default) or Strict.',
)
const force = query('force', 'boolean', 'Takes over fields that other managers own; for apply patches only.')

export const writeParameters = [dryRun, fieldManager, fieldValidation]
export const patchParameters = [dryRun, fieldManager, fieldValidation, force]

export const deleteParameters = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds the object may take to end; 0 deletes at once.'),
  query('orphanDependents', 'boolean', 'Old form of propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
]

const selection = [
  query('continue', 'string', 'Where the part before this one ended, as its metadata says.'),
  query('fieldSelector', 'string', 'Restricts the objects to those whose fields match.'),
  query('labelSelector', 'string', 'Restricts the objects to those whose labels match.'),
  query('limit', 'integer', 'The most objects to answer with; the rest can be asked for with `continue`.'),
  query('resourceVersion', 'string', 'The state of the store to answer from.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'Starts a watch with an event for each object there is.'),
  query('timeoutSeconds', 'integer', 'Ends the call after so many seconds.'),
]

export const listParameters = [
  query('allowWatchBookmarks', 'boolean', 'Asks a watch for events that only carry a resourceVersion.'),
  ...selection,
  query('watch', 'boolean', 'Answers with changes as they happen, not with a list.'),
]

export const deleteCollectionParameters = [...selection, ...deleteParameters]

const container = query('container', 'string', 'The container; may be left out when the pod has one.')
const streams = [
  query('stderr', 'boolean', 'Asks for standard error.'),
  query('stdin', 'boolean', 'Offers standard input.'),
  query('stdout', 'boolean', 'Asks for standard output.'),
  query('tty', 'boolean', 'Asks for a terminal.'),
]

/** Query parameters of subresources, by their kind; `Pod` is that of logs. */
export const subresourceParameters = new Map<string, readonly Parameter[]>([
  ['PodAttachOptions', [container, ...streams]],
  [
    'PodExecOptions',
    [
      { ...query('command', 'string', 'The program and its arguments, each a parameter of its own.'), repeated: true },
      container,
      ...streams,
    ],
  ],
  ['PodPortForwardOptions', [{ ...query('ports', 'integer', 'Ports to forward over a WebSocket.'), repeated: true }]],
  ['PodProxyOptions', [query('path', 'string', 'The path to ask the pod for.')]],
  ['ServiceProxyOptions', [query('path', 'string', 'The path to ask the service for.')]],
  ['NodeProxyOptions', [query('path', 'string', 'The path to ask the node for.')]],
])

export const logParameters = [
  container,
  query('follow', 'boolean', 'Keeps the answer open for what is written later.'),
  query('insecureSkipTLSVerifyBackend', 'boolean', "Does not check the kubelet's certificate."),
  query('limitBytes', 'integer', 'The most bytes to answer with.'),
  query('previous', 'boolean', 'Answers with the logs of the instance before this one.'),
  query('sinceSeconds', 'integer', 'Leaves out what is older than so many seconds.'),
  query('stream', 'string', 'Which output: All, Stdout or Stderr.'),
  query('tailLines', 'integer', 'Starts so many lines before the end.'),
  query('timestamps', 'boolean', 'Puts the time before each line.'),
]
