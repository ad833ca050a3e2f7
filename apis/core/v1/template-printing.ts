import { type Column, wide } from '../../meta/v1/printing.ts'
import type { Container, PodTemplateSpec } from './zz_generated.types.ts'

/** The columns that tell what a workload's pods are made of. */
export function templateColumns<T>(templateOf: (object: T) => PodTemplateSpec | undefined): Column<T>[] {
  const list = (of: (container: Container) => string | undefined) => (object: T) =>
    (templateOf(object)?.spec?.containers ?? []).map((container) => of(container) ?? '').join(',')
  return [
    wide(
      'Containers',
      list(({ name }) => name),
    ),
    wide(
      'Images',
      list(({ image }) => image),
    ),
  ]
}
