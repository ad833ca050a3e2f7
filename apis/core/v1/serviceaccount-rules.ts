import { ageColumn, integer, nameColumn, printer } from '../../meta/v1/printing.ts'
import type { Rules } from '../../meta/v1/rules.ts'
import type { ServiceAccount } from './zz_generated.types.ts'

export const serviceAccountRules: Rules<ServiceAccount> = {
  returnsDeleted: true,
  print: printer<ServiceAccount>(
    nameColumn,
    integer('Secrets', ({ secrets }) => secrets?.length ?? 0),
    ageColumn,
  ),
}
