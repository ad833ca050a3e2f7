import { startCluster } from '#core/cluster.ts'
import { parseServerFlags, serverFlagsHelp } from './flags.ts'
import type { Command } from './run.ts'
import { runUntilSignal } from './run-until-signal.ts'

export const serverCommand: Command = {
  name: 'server',
  summary: 'runs the control plane only: the API server, the controllers and the scheduler',
  help: `usage: keelson server [flags]\n\nRuns the control plane without a node.\n\n${serverFlagsHelp}`,
  run: (args) =>
    runUntilSignal(async () => {
      const cluster = await startCluster(parseServerFlags(args))
      process.stdout.write(`serving ${cluster.server}, kubeconfig ${cluster.kubeconfig}\n`)
      return cluster
    }),
}
