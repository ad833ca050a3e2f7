import type { AdmissionRequest } from '#apis/plugin/v1/admission.ts'
import { newForbidden, type StatusError } from '#core/errors/status-error.ts'

/** The answer to a request that policies refuse, as Kubernetes' admission words it. */
export function newDenial(request: AdmissionRequest, message: string): StatusError {
  const error = newForbidden(request, shownName(request), message)
  error.status.details!.causes = [{ message }]
  return error
}

/** An object that will be given its name later is called by what the name is made of. */
function shownName({ name, object }: AdmissionRequest): string {
  return name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown'
}
