import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { CustomResourceDefinition } from '#apis/apiextensions/v1/zz_generated.types.ts'
import { adviceOn } from './crd-lint-advice.ts'
import { breakingChanges } from './crd-lint-changes.ts'
import type { Remark } from './crd-lint-finding.ts'
import { CrdJudge, unknownField } from './crd-lint-judge.ts'
import { type Finding, formatJson, formatText, inOrder } from './crd-lint-report.ts'
import { readSource, type SourceDocument, type SourceFault } from './crd-lint-source.ts'
import { UsageError } from './usage-error.ts'

export interface LintArguments {
  /** `-` is standard input. */
  files: string[]
  output: 'text' | 'json'
  isStrict: boolean
  /** Files with the definitions of today. */
  against: string[]
  /** A cluster that has them. */
  kubeconfig: string | undefined
}

const options = {
  output: { type: 'string', short: 'o' },
  against: { type: 'string', multiple: true },
  kubeconfig: { type: 'string' },
  strict: { type: 'boolean' },
} as const

/** @throws UsageError */
export function lintArguments(args: readonly string[]): LintArguments {
  const { values, positionals } = parse(args)
  const { output = 'text', against = [], kubeconfig, strict = false } = values
  if (positionals.length === 0) throw new UsageError('a FILE is needed; - is standard input ("--help" explains it)')
  if (output !== 'text' && output !== 'json')
    throw new UsageError(`--output: ${JSON.stringify(output)} is neither text nor json`)
  if (against.length > 0 && kubeconfig !== undefined)
    throw new UsageError('--against and --kubeconfig do not go together')
  return { files: positionals, output, isStrict: strict, against, kubeconfig }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (cause) {
    throw new UsageError(`${(cause as Error).message} ("--help" explains the flags)`, { cause })
  }
}

/**
 * Says what there is to say of all definitions in some files.
 * @returns the text for standard output, and the exit status: 1 when there is something wrong
 * @throws UsageError when a file cannot be read or holds no definition
 */
export async function lint(args: LintArguments, hasColours: boolean): Promise<{ text: string; status: number }> {
  const judge = await CrdJudge.open()
  const sources = await Promise.all(args.files.map(readDefinitions))
  const linter = new Linter(judge, await definitionsOfToday(args, judge, sources))
  for (const source of sources) linter.lint(source)
  const { findings, count } = linter
  const sorted = inOrder(findings)
  const isWrong = findings.some(({ severity }) => {
    return severity === 'error' || severity === 'breaking' || (args.isStrict && severity === 'warning')
  })
  const shown = args.output === 'json' ? formatJson(sorted, count) : formatText(sorted, count, hasColours)
  return { text: shown, status: isWrong ? 1 : 0 }
}

interface Source {
  file: string
  definitions: SourceDocument[]
  faults: SourceFault[]
}

/** @throws UsageError */
async function readDefinitions(file: string): Promise<Source> {
  const { documents, faults } = readSource(await contentOf(file))
  const definitions = documents.filter(({ value }) => isDefinition(value))
  if (definitions.length === 0 && faults.length === 0) {
    throw new UsageError(`${file} holds no CustomResourceDefinition`)
  }
  return { file, definitions, faults }
}

async function contentOf(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (cause) {
    throw new UsageError((cause as Error).message, { cause })
  }
}

function isDefinition(value: unknown): boolean {
  return (value as { kind?: unknown } | null)?.kind === 'CustomResourceDefinition'
}

function nameOf(value: unknown): string {
  const name = (value as { metadata?: { name?: unknown } }).metadata?.name
  return typeof name === 'string' ? name : ''
}

type Today = ReadonlyMap<string, CustomResourceDefinition>

async function definitionsOfToday(args: LintArguments, judge: CrdJudge, sources: readonly Source[]): Promise<Today> {
  if (args.kubeconfig === undefined) return definitionsIn(await Promise.all(args.against.map(readDefinitions)), judge)
  const names = sources.flatMap(({ definitions }) => definitions.map(({ value }) => nameOf(value))).filter(Boolean)
  const { definitionsInCluster } = await import('./crd-lint-cluster.ts')
  return definitionsInCluster(args.kubeconfig, names)
}

/** Definitions as a cluster would have them that was given these files. */
function definitionsIn(sources: readonly Source[], judge: CrdJudge): Today {
  const today = new Map<string, CustomResourceDefinition>()
  for (const { value } of sources.flatMap(({ definitions }) => definitions)) {
    const { crd } = judge.judge(value)
    if (!crd) continue
    crd.metadata.resourceVersion = '1'
    crd.status = { ...crd.status, conditions: [{ type: 'Established', status: 'True' }] }
    today.set(nameOf(value), crd)
  }
  return today
}

class Linter {
  readonly findings: Finding[] = []
  count = 0
  readonly #judge: CrdJudge
  readonly #today: Today

  constructor(judge: CrdJudge, today: Today) {
    this.#judge = judge
    this.#today = today
  }

  lint({ file, definitions, faults }: Source): void {
    for (const fault of faults) this.findings.push({ file, definition: '', severity: 'error', path: '', ...fault })
    for (const document of definitions) {
      this.count++
      const definition = nameOf(document.value)
      for (const remark of this.#remarksOn(document.value, this.#today.get(definition))) {
        this.findings.push({ file, definition, ...document.locate(remark.path), ...remark })
      }
    }
  }

  #remarksOn(value: unknown, old: CustomResourceDefinition | undefined): Remark[] {
    const { crd, remarks } = this.#judge.judge(value, old)
    if (!crd?.spec.versions || remarks.some(isOfSchema)) return remarks
    return [...remarks, ...adviceOn(crd), ...(old ? breakingChanges(crd, old) : [])]
  }
}

/** A schema that is refused may have any shape: nothing more can be said of it. */
function isOfSchema({ severity, path, message }: Remark): boolean {
  return severity === 'error' && path.includes('openAPIV3Schema') && message !== unknownField
}
