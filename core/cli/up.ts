import { startCluster } from '#core/cluster.ts'
import { gitVersion, keelsonVersion } from '#core/server/version.ts'
import { parseUpFlags, serverFlagsHelp, type UpFlags, UsageError } from './flags.ts'
import type { Command } from './run.ts'
import { runUntilSignal } from './run-until-signal.ts'
import { chooseRuntime, dockerSocket, type RuntimeChoice } from './runtime.ts'

const help = `usage: keelson up [flags]

Runs a whole cluster on this machine: the API server, the controllers, the scheduler, and a node agent.

  --cri docker|sim       what runs containers (default: docker when its socket answers, else sim)
  --nodes N              how many nodes; more than one only with sim, 0 for none (default 1)
${serverFlagsHelp}
SIGTERM and Ctrl-C end it within five seconds; containers are left running, and found again by the next start.
`

export const upCommand: Command = {
  name: 'up',
  summary: 'runs a whole cluster on this machine',
  help,
  run: (args) =>
    runUntilSignal(async () => {
      const flags = parseUpFlags(args)
      const choice = await chooseRuntime(flags.cri)
      if (flags.nodes > 1 && choice.runtime === 'docker') {
        throw new UsageError(`--nodes ${flags.nodes}: Docker's containers make one node; use --cri sim for more`)
      }
      const node = { nodes: flags.nodes, runtime: choice.runtime, dockerSocket: dockerSocket() }
      const cluster = await startCluster({ ...flags, ...(flags.nodes > 0 && { node }) })
      process.stdout.write(greeting(flags, choice, cluster))
      return cluster
    }),
}

function greeting(
  { nodes }: UpFlags,
  { runtime, why }: RuntimeChoice,
  cluster: { server: string; kubeconfig: string; startedInMs: number },
): string {
  const rows = [
    ['keelson', `${keelsonVersion}, Kubernetes API ${gitVersion}, node ${process.version}`],
    ['runtime', `${runtime}, ${why}`],
    ['nodes', String(nodes)],
    ['server', `${cluster.server}, ready after ${Math.round(cluster.startedInMs)} ms`],
    ['kubeconfig', cluster.kubeconfig],
  ]
  const table = rows.map(([name, value]) => `  ${name!.padEnd(12)}${value}`).join('\n')
  return `${table}\n\nTry, in another terminal:\n\n  export KUBECONFIG=${cluster.kubeconfig}\n  kubectl apply -f examples/hello/\n  kubectl get pods -w\n\n`
}
