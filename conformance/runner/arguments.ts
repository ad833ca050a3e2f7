import { parseArgs } from 'node:util'

export interface RunnerArguments {
  kubeconfig: string
  focus: string
  junit: string | undefined
  list: boolean
  official: boolean
  parallel: number
}

export const usage = `usage: node conformance/main.ts [--kubeconfig FILE] [--focus TEXT] [--junit FILE] [--parallel N] [--list | --official]

  --kubeconfig  the cluster to check; default $KUBECONFIG
  --focus       only cases whose name contains TEXT, or matches it when it has * or ?
  --junit       write a JUnit report to FILE
  --parallel    cases at a time; default 4
  --list        print the names of the cases and what they stand for
  --official    print the official tests, each with its cases or what it would need
  $KUBECTL and $KEELSON_CONFORMANCE_IMAGE name the kubectl binary and the image of test pods`

/** @throws Error with what is wrong */
export function readArguments(argv: readonly string[], environment: NodeJS.ProcessEnv): RunnerArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kubeconfig: { type: 'string', default: environment.KUBECONFIG ?? '' },
      focus: { type: 'string', default: '' },
      junit: { type: 'string' },
      list: { type: 'boolean', default: false },
      official: { type: 'boolean', default: false },
      parallel: { type: 'string', default: '4' },
    },
  })
  const parallel = Number(values.parallel)
  if (!Number.isInteger(parallel) || parallel < 1)
    throw new Error(`--parallel ${values.parallel}: a positive number is wanted`)
  if (!values.kubeconfig && !values.list && !values.official) throw new Error('--kubeconfig is missing')
  return {
    kubeconfig: values.kubeconfig,
    focus: values.focus,
    junit: values.junit,
    list: values.list,
    official: values.official,
    parallel,
  }
}
