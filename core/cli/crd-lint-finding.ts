/**
 * What can be said of a definition, the worst first. `error`: the server or kubectl refuses it. `breaking`: clients or objects of
 * today will fail. `warning`: it will hurt later. `info`: it could be better.
 */
export const severities = ['error', 'breaking', 'warning', 'info'] as const
export type Severity = (typeof severities)[number]

export interface Remark {
  severity: Severity
  /** Of the field in the definition: `spec.versions[0].schema.openAPIV3Schema.properties[spec].type`; empty for all of it. */
  path: string
  message: string
}
