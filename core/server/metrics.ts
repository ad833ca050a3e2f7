/**
 * Counters, gauges and histograms in Prometheus' text format. Take the child for a set of label values once and keep it:
 * observing is then an addition.
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

export class Counter {
  value = 0

  inc(by = 1): void {
    this.value += by
  }
}

export class Gauge {
  value = 0

  inc(by = 1): void {
    this.value += by
  }

  dec(by = 1): void {
    this.value -= by
  }

  set(value: number): void {
    this.value = value
  }
}

export class Histogram {
  readonly #bounds: readonly number[]
  /** One for each bound and one for what exceeds them all; not cumulative. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let index = 0
    while (index < bounds.length && value > bounds[index]!) index++
    this.counts[index]!++
    this.sum += value
  }
}

/** Label values come from requests: past this many sets in one family, further ones share the child of `other`. */
const maxChildren = 10_000

/** All metrics of one name. */
export class Family<Child> {
  readonly name: string
  readonly labels: readonly string[]
  readonly #make: () => Child
  readonly #children = new Map<string, { values: readonly string[]; child: Child }>()

  constructor(name: string, labels: readonly string[], make: () => Child) {
    this.name = name
    this.labels = labels
    this.#make = make
  }

  /** @param values one for each label, in the family's order */
  with(...values: readonly string[]): Child {
    const key = values.join('\u0000')
    const known = this.#children.get(key)
    if (known) return known.child
    if (values.length !== this.labels.length) throw new Error(`${this.name} has ${this.labels.length} labels`)
    if (this.#children.size >= maxChildren) return this.#overflow()
    const child = this.#make()
    this.#children.set(key, { values, child })
    return child
  }

  /** Forgets all children, such as those of objects that are gone. */
  clear(): void {
    this.#children.clear()
  }

  children(): Iterable<{ values: readonly string[]; child: Child }> {
    return this.#children.values()
  }

  #overflow(): Child {
    const values = this.labels.map(() => 'other')
    const known = this.#children.get(values.join('\u0000'))
    if (known) return known.child
    const child = this.#make()
    this.#children.set(values.join('\u0000'), { values, child })
    return child
  }
}

/** The metrics of one process, in the order they were made. */
export class Metrics {
  readonly #families = new Map<string, () => string>()
  readonly #collectors: (() => void)[] = []

  counter(name: string, help: string, labels: readonly string[] = []): Family<Counter> {
    const family = new Family(name, labels, () => new Counter())
    this.#add(name, help, 'counter', () => simpleLines(family))
    return family
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Family<Gauge> {
    const family = new Family(name, labels, () => new Gauge())
    this.#add(name, help, 'gauge', () => simpleLines(family))
    return family
  }

  /** @param bounds upper ends of the buckets, rising; `+Inf` is added */
  histogram(name: string, help: string, labels: readonly string[], bounds: readonly number[]): Family<Histogram> {
    const family = new Family(name, labels, () => new Histogram(bounds))
    this.#add(name, help, 'histogram', () => histogramLines(family, bounds))
    return family
  }

  /** Runs before each exposition, to set what is cheaper to ask than to follow. */
  beforeEach(collect: () => void): void {
    this.#collectors.push(collect)
  }

  text(): string {
    for (const collect of this.#collectors) collect()
    let text = ''
    for (const lines of this.#families.values()) text += lines()
    return text
  }

  #add(name: string, help: string, type: string, lines: () => string): void {
    if (this.#families.has(name)) throw new Error(`metric ${name} exists already`)
    const head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`
    this.#families.set(name, () => head + lines())
  }
}

function simpleLines(family: Family<Counter | Gauge>): string {
  let text = ''
  for (const { values, child } of family.children()) {
    text += `${family.name}${labelText(family.labels, values)} ${numberText(child.value)}\n`
  }
  return text
}

function histogramLines(family: Family<Histogram>, bounds: readonly number[]): string {
  const { name, labels } = family
  const bucketLabels = [...labels, 'le']
  let text = ''
  for (const { values, child } of family.children()) {
    let total = 0
    for (const [index, count] of child.counts.entries()) {
      total += count
      const le = numberText(bounds[index] ?? Number.POSITIVE_INFINITY)
      text += `${name}_bucket${labelText(bucketLabels, [...values, le])} ${total}\n`
    }
    const own = labelText(labels, values)
    text += `${name}_sum${own} ${numberText(child.sum)}\n${name}_count${own} ${total}\n`
  }
  return text
}

function labelText(labels: readonly string[], values: readonly string[]): string {
  if (labels.length === 0) return ''
  return `{${labels.map((label, index) => `${label}="${escapeLabel(values[index]!)}"`).join(',')}}`
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}
