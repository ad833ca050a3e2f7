/**
 * Where a walk over a value is: pushed and popped in place, rendered only for a fault, so that sound values cost no
 * strings. Renders as Kubernetes does: `spec.containers[0].name`.
 */
export class Path {
  private readonly parts: (string | number | MapKey)[]

  constructor(...parts: (string | number | MapKey)[]) {
    this.parts = parts
  }

  push(part: string | number | MapKey): void {
    this.parts.push(part)
  }

  pop(): void {
    this.parts.pop()
  }

  toString(): string {
    let text = ''
    for (const part of this.parts) {
      if (typeof part === 'number') text += `[${part}]`
      else if (typeof part === 'object') text += `[${part.key}]`
      else text += text === '' ? part : `.${part}`
    }
    return text
  }

  child(name: string): string {
    return this.parts.length === 0 ? name : `${this}.${name}`
  }

  /** The path without list indices, as Go's JSON decoder names fields. */
  names(): string {
    return this.parts.filter((part) => typeof part === 'string').join('.')
  }
}

/** The key of a map, where it is not to be written as a field is: `spec.sizes[large]`. */
export interface MapKey {
  readonly key: string
}
