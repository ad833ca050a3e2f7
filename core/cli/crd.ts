import { lint, lintArguments } from './crd-lint.ts'
import type { Command } from './run.ts'
import { UsageError } from './usage-error.ts'

const help = `usage: keelson crd lint FILE... [flags]

Says what the server would say to the CustomResourceDefinitions in YAML or JSON files, with the place in the file, and what will hurt
later. - is standard input.

  --against FILE       also say what breaks for those who use the definitions in FILE today; may be given again
  --kubeconfig FILE    the same for the definitions in a cluster
  --strict             warnings count as errors
  -o, --output FORMAT  text or json (default text; in colours on a terminal, unless NO_COLOR is set)

error     the server refuses it, or kubectl does
breaking  clients or objects of today will fail
warning   it will hurt later
info      it could be better

Exit status: 0 for nothing worse than warnings, 1 for errors and breaking changes, 2 when there is nothing to read.
`

export const crdCommand: Command = {
  name: 'crd',
  summary: 'checks CustomResourceDefinitions before they are applied: "keelson crd lint"',
  help,
  run: async ([action, ...args]) => {
    try {
      if (action !== 'lint') throw new UsageError('"keelson crd" knows one action: lint ("--help" explains it)')
      const hasColours = Boolean(process.stdout.isTTY) && !process.env.NO_COLOR
      const { text, status } = await lint(lintArguments(args), hasColours)
      process.stdout.write(text)
      return status
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      process.stderr.write(`keelson: ${error.message}\n`)
      return 2
    }
  },
}
