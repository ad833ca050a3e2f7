import type { NodeInfo } from '../framework/node-info.ts'
import {
  type Cluster,
  maxScore,
  type PreScorePlugin,
  type ReadonlyPod,
  type ScorePlugin,
  skip,
} from '../framework/types.ts'

const mebibyte = 2 ** 20
const minBytes = 23 * mebibyte
const maxBytesPerContainer = 1000 * mebibyte

const imagesOf = (pod: ReadonlyPod) =>
  [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((container) =>
    withTag(container.image ?? ''),
  )

/** An image without tag or digest means `latest`; a colon before the last slash belongs to a port. */
export function withTag(image: string): string {
  return image.lastIndexOf(':') > image.lastIndexOf('/') ? image : `${image}:latest`
}

/**
 * An image counts by its size, less so when few nodes have it: otherwise the one node that has a huge image would draw
 * all pods that use it.
 */
function localBytes(image: string, node: NodeInfo, cluster: Cluster): number {
  const size = node.images.get(image)
  return size ? (size * cluster.imageSpread(image)) / cluster.nodes.length : 0
}

/** Prefers nodes that have the pod's images already. */
export const imageLocality: PreScorePlugin & ScorePlugin = {
  name: 'image-locality',

  preScore: (_state, { pod }, _nodes, cluster) =>
    imagesOf(pod).some((image) => cluster.imageSpread(image) > 0) ? undefined : skip,

  score(_state, { pod }, node, cluster) {
    if (!node.images.size) return 0
    const images = imagesOf(pod)
    let bytes = 0
    for (const image of images) bytes += localBytes(image, node, cluster)
    const most = maxBytesPerContainer * images.length
    const counted = Math.min(Math.max(bytes, minBytes), most)
    return Math.floor((maxScore * (counted - minBytes)) / (most - minBytes))
  },
}
