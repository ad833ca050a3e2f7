import { gitVersion, keelsonVersion } from '#core/server/version.ts'

/** One command of `keelson`. */
export interface Command {
  name: string
  summary: string
  /** Shown by `--help`. */
  help: string
  /** @returns the exit status */
  run(args: readonly string[]): Promise<number>
}

/** Loaded when asked for: help should not wait for a server's code. */
const commands: Record<string, () => Promise<Command>> = {
  up: async () => (await import('./up.ts')).upCommand,
  server: async () => (await import('./server.ts')).serverCommand,
  crd: async () => (await import('./crd.ts')).crdCommand,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  store: async () => (await import('./store-copy.ts')).storeCommand,
}

/** Runs one command line. @returns the exit status */
export async function run(args: readonly string[]): Promise<number> {
  const [name = 'help', ...rest] = args
  if (name === 'version' || name === '--version') {
    process.stdout.write(`keelson ${keelsonVersion}, Kubernetes API ${gitVersion}, node ${process.version}\n`)
    return 0
  }
  if (name === 'help' || name === '--help' || name === '-h') return help(rest[0])
  if (!Object.hasOwn(commands, name)) {
    process.stderr.write(`keelson: there is no command ${JSON.stringify(name)}; "keelson help" lists those there are\n`)
    return 2
  }
  const command = await commands[name]!()
  if (rest.includes('--help') || rest.includes('-h')) return help(name)
  return command.run(rest)
}

async function help(name: string | undefined): Promise<number> {
  if (name !== undefined && Object.hasOwn(commands, name)) {
    process.stdout.write((await commands[name]!()).help)
    return 0
  }
  const all = await Promise.all(Object.values(commands).map((load) => load()))
  const lines = all.map((command) => `  ${command.name.padEnd(10)}${command.summary}`)
  process.stdout.write(
    `usage: keelson <command> [flags]\n\n${lines.join('\n')}\n  ${'version'.padEnd(10)}says which versions this is\n\n"keelson help <command>" explains the flags of one.\n`,
  )
  return 0
}
