import { hostnameOf } from '../pod/container-config.ts'
import type { PodObject } from '../pod/model.ts'

/** The /etc/hosts of a pod with a network of its own. Pure. */
export function hostsFile(pod: PodObject, podIPs: readonly string[]): string {
  const own = hostnameOf(pod)
  const { subdomain, hostAliases = [] } = pod.spec
  const names = subdomain ? `${own}.${subdomain}.${pod.metadata.namespace}.svc\t${own}` : own
  const aliases = hostAliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}`)
  return [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    ...podIPs.map((ip) => `${ip}\t${names}`),
    ...aliases,
    '',
  ].join('\n')
}
