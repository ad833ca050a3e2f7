import { readAmounts } from '#apis/core/v1/amounts.ts'
import { type Evaluator, evaluatorOf } from '#apis/core/v1/quota/evaluator.ts'
import type { ResourceQuota } from '#apis/core/v1/zz_generated.types.ts'
import type { AdmissionRequest, ObjectReader } from '#apis/plugin/v1/admission.ts'
import { newForbidden } from '#core/errors/status-error.ts'
import type { AdmissionStep } from '../chain.ts'
import { assess, type Demand, isRefusal } from './assess.ts'
import { type QuotaWriter, Till } from './till.ts'

export type { QuotaWriter } from './till.ts'

/**
 * Refuses what the quotas of its namespace have no room for, and charges the rest to them before it is stored. The last
 * step of all: what it lets through must not be refused by another. What objects give back is for the controller of quotas
 * to find out, and what was charged for a write of which nobody knows whether it was done.
 * @see https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
export function resourceQuota(reader: ObjectReader, writer: QuotaWriter): AdmissionStep {
  const quotasOf = (namespace: string) => reader.list<ResourceQuota>('', 'resourcequotas', namespace)
  const till = new Till(quotasOf, writer)
  return {
    name: 'ResourceQuota',
    validate(request) {
      const { namespace, operation, dryRun } = request
      if (!namespace || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      const quotas = quotasOf(namespace)
      if (quotas.length === 0) return
      const evaluator = evaluatorOf(request)
      if (!evaluator || !mayUseMore(request, evaluator)) return
      const demand = demandOf(request, evaluator)
      const verdicts = quotas.map((quota) => assess(quota, demand, readAmounts(quota.status?.used)))
      if (verdicts.every((verdict) => verdict === undefined)) return
      if (!dryRun) return charge(till, request, demand)
      const refusal = verdicts.find(isRefusal)
      if (refusal) throw refused(request, refusal.refusal)
    },
  }
}

function mayUseMore({ operation, subresource }: AdmissionRequest, { changedBy }: Evaluator): boolean {
  return operation === 'CREATE' ? subresource === '' : changedBy.includes(subresource)
}

function demandOf({ operation, object, oldObject }: AdmissionRequest, evaluator: Evaluator): Demand {
  const now = Date.now()
  const demand = { evaluator, object: object!, usage: evaluator.usage(object!, now) }
  if (operation === 'CREATE' || !oldObject) return demand
  return { ...demand, old: { object: oldObject, usage: evaluator.usage(oldObject, now) } }
}

async function charge(till: Till, request: AdmissionRequest, demand: Demand): Promise<void> {
  const { namespace } = request
  const { refusal, charged } = await till.charge(namespace, demand)
  if (refusal !== undefined) throw refused(request, refusal)
  // Where that fails as well, the controller of quotas finds it out.
  request.release = () => till.giveBack(namespace, charged).catch(() => {})
}

const refused = (request: AdmissionRequest, why: string) => newForbidden(request, request.name, why)
