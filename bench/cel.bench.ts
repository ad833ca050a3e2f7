import { Environment } from '@marcbachmann/cel-js'
import { Budget, compile, EvaluationError, standardEnvironment, types } from '#core/cel/cel.ts'
import { type Figure, figureOf } from './figure.ts'
import { alternate, type Rate } from './rounds.ts'

/** Rules as people write them for admission and for custom resources; all hold for the deployment. */
const rules: readonly [name: string, expression: string][] = [
  ['replicas', 'object.spec.replicas >= 1 && object.spec.replicas <= 5'],
  [
    'memory limits',
    "object.spec.template.spec.containers.all(c, has(c.resources) && has(c.resources.limits) && 'memory' in c.resources.limits)",
  ],
  [
    'images',
    "object.spec.template.spec.containers.all(c, c.image.startsWith('registry.example.com/') && !c.image.endsWith(':latest'))",
  ],
  [
    'labels',
    "has(object.metadata.labels) && object.metadata.labels.all(k, !k.startsWith('internal.')) && object.metadata.labels.env in ['dev', 'test', 'prod']",
  ],
  [
    'immutable selector, name',
    "object.spec.selector == oldObject.spec.selector && object.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(object.metadata.name) <= 63",
  ],
]

const deployment = () => {
  const labels = { app: 'web', env: 'prod', tier: 'front', 'app.kubernetes.io/managed-by': 'helm' }
  const container = (name: string) => ({
    name,
    image: `registry.example.com/team/${name}:1.2.3`,
    resources: { requests: { cpu: '100m' }, limits: { cpu: '500m', memory: '256Mi' } },
  })
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web-frontend', namespace: 'default', labels },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels }, spec: { containers: ['web', 'proxy', 'metrics'].map(container) } },
    },
  }
}

/** Evaluations of rules over a Deployment, against the fastest CEL library on npm that we know. */
export async function celBench(durationMs: number): Promise<Figure[]> {
  const bindings = { object: deployment(), oldObject: deployment() }
  const variables = { object: types.dyn, oldObject: types.dyn }
  const environment = standardEnvironment.extend({ variables })
  const theirs = new Environment({ unlistedVariablesAreDyn: true })
  const figures: Figure[] = []
  for (const [name, expression] of rules) {
    const program = compile(expression, environment)
    const parsed = theirs.parse(expression)
    const yardstick = rateOf(() => parsed(bindings))
    const free = await alternate(
      durationMs,
      yardstick,
      rateOf(() => program.evaluate(bindings)),
    )
    const charged = await alternate(
      durationMs,
      yardstick,
      rateOf(() => program.evaluate(bindings, budgets.next())),
    )
    figures.push(figureOf(`CEL: ${name}`, free, '@marcbachmann/cel-js', { atLeastRatio: 2 }))
    figures.push(figureOf(`CEL: ${name}, budget`, charged, '@marcbachmann/cel-js', { atLeastRatio: 2 }))
  }
  return [...figures, runaway()]
}

const deadlineMs = 10

/** Until a rule that would never end is ended by its deadline. */
function runaway(): Figure {
  const environment = standardEnvironment.extend({ variables: { items: types.list(types.int) } })
  const program = compile('items.all(x, items.all(y, items.all(z, x + y + z >= 0)))', environment)
  const items = Array.from({ length: 100_000 }, (_, i) => i)
  const started = performance.now()
  try {
    program.evaluate({ items }, new Budget({ deadlineMs: started + deadlineMs }))
  } catch (error) {
    if (!(error instanceof EvaluationError) || !error.isInterrupted) throw error
  }
  return {
    what: `CEL: a runaway rule with ${deadlineMs} ms is ended`,
    value: performance.now() - started,
    unit: 'ms',
    goal: { atMost: 50 },
  }
}

/** Budgets as rules of objects have them: one for as many evaluations as there are rules here. */
const budgets = {
  used: 0,
  budget: new Budget(),
  next(): Budget {
    if (this.used++ % rules.length === 0) this.budget = new Budget({ limit: 10_000_000, deadlineMs: farFuture })
    return this.budget
  },
}
const farFuture = 3_600_000

const batch = 500

/** How often something that must say true is done in a second of this process's time. */
function rateOf(evaluate: () => unknown): (durationMs: number) => Promise<Rate> {
  return async (durationMs) => {
    if (evaluate() !== true) throw new Error('a rule that holds does not')
    const started = performance.now()
    const before = process.cpuUsage()
    let done = 0
    for (; performance.now() - started < durationMs; done += batch) for (let i = 0; i < batch; i++) evaluate()
    const { user, system } = process.cpuUsage(before)
    return { perSecond: (done / (user + system)) * 1e6, cpuMicroseconds: (user + system) / done }
  }
}
