/**
 * Where a walk over a value is: pushed and popped in place, rendered only for a fault, so that sound values cost no
 * strings. Renders as Kubernetes does: `spec.containers[0].name`.
 */
export class Path {
  private readonly parts: (string | number)[]

  constructor(...parts: (string | number)[]) {
    this.parts = parts
  }

  push(part: string | number): void {
    this.parts.push(part)
  }

  pop(): void {
    this.parts.pop()
  }

  toString(): string {
    let text = ''
    for (const part of this.parts) {
      if (typeof part === 'number') text += `[${part}]`
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
