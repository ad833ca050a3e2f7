import type { PreEnqueuePlugin } from '../framework/types.ts'

/** Holds a pod back while it has gates. @see https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/ */
export const schedulingGates: PreEnqueuePlugin = {
  name: 'scheduling-gates',
  preEnqueue({ pod }) {
    const gates = pod.spec?.schedulingGates ?? []
    if (!gates.length) return undefined
    return { resolvable: false, reasons: [`waiting for scheduling gates: ${gates.map((gate) => gate.name).join(' ')}`] }
  },
}
