/** The streaming protocols behind `kubectl exec`, `attach` and `port-forward`, at the end that runs the command. */
export { handlePortForward } from './port-forward.ts'
export { handleRemoteCommand, isAsked, remoteCommandOptions } from './remote-command.ts'
export * from './types.ts'
