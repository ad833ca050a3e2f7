/** The crontabs that are not suspended, by the typed client: `KUBECONFIG=... node examples/crd/list.ts`. */
import type { KubeObject, ResourceRef } from '@keelson/apis/meta/v1/types.ts'
import { connect, loadKubeconfig } from '@keelson/client'

interface CronTab extends KubeObject {
  spec: { schedule: string; image: string; replicas?: number; suspend?: boolean }
}

const crontabs: ResourceRef<CronTab> = {
  group: 'example.com',
  version: 'v1',
  resource: 'crontabs',
  kind: 'CronTab',
  namespaced: true,
}

await using client = connect(loadKubeconfig(process.env.KUBECONFIG!))
const { items } = await client.resource(crontabs).in('default').list({ fieldSelector: 'spec.suspend=false' })
for (const { metadata, spec } of items) console.log(`${metadata.name} runs ${spec.image} at ${spec.schedule}`)
