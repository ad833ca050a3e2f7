import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable, Writable } from 'node:stream'

/**
 * What a node agent (or anything that serves a kubelet's port) hands to and gets from the streaming protocols behind
 * `kubectl exec`, `attach` and `port-forward`. The functions are `handleRemoteCommand` and `handlePortForward`.
 */

/** An HTTP/1.1 upgrade request as node's `upgrade` event gives it. Whoever handles it owns the socket from then on. */
export interface Upgrade {
  request: Pick<IncomingMessage, 'url' | 'headers'>
  socket: Duplex
  /** Bytes that came behind the request's head. */
  head: Buffer
}

/** Which streams a client asked for. `tty` excludes `stderr`: a terminal has one output. */
export interface RemoteCommandOptions {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

export interface TerminalSize {
  width: number
  height: number
}

/** The client's ends of a running command. */
export interface RemoteCommand {
  /** What the client types or pipes in; ends when the client closes its input. Absent when it asked for none. */
  stdin?: Readable
  /** Honour its backpressure. Ending it is optional: it is ended when the handler settles. */
  stdout?: Writable
  stderr?: Writable
  tty: boolean
  /** Sizes of the client's terminal, newest last; a size nobody has read yet is replaced. Ends with the connection. */
  resizes: AsyncIterable<TerminalSize>
  /** Aborted when the client is gone. */
  signal: AbortSignal
}

/**
 * Runs the command (or attaches to it) until it ends.
 * Resolves with its exit code; a rejection is reported to the client as an internal error with its message.
 */
export type RemoteCommandHandler = (command: RemoteCommand) => Promise<{ exitCode: number }>

export interface HandleRemoteCommandOptions {
  /** Which streams to open; default: what the request's query asks for (see `remoteCommandOptions`). */
  streams?: RemoteCommandOptions
  /** How failures are worded; default `exec`. */
  action?: 'exec' | 'attach'
  /** Ends the session, as when the client had gone. */
  signal?: AbortSignal
  /** Milliseconds a client may take to open the streams it asked for; default 30 000. */
  openTimeoutMs?: number
}

/** Connects to a port of the pod. A rejection is reported to the client for that connection only. */
export type DialPort = (port: number, signal: AbortSignal) => Promise<Duplex>

export interface HandlePortForwardOptions {
  /** Names the pod in failures: `error forwarding port 80 to pod web-0, uid 1-2-3: ...`. */
  pod?: { name: string; uid: string }
  /** Ends all connections. */
  signal?: AbortSignal
}
