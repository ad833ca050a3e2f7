# A pod: awaited, asked for its log, and ended.
require_relative 'suite'

core = client
container = { name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', 'echo hello; sleep 3600'] }
core.create_pod(
  Kubeclient::Resource.new(
    metadata: { name: 'one', namespace: NAMESPACE }, spec: { containers: [container], terminationGracePeriodSeconds: 1 }
  )
)
watcher = core.watch_pods(namespace: NAMESPACE, field_selector: 'metadata.name=one')
watcher.each { |notice| watcher.finish if notice.object.status.phase == 'Running' }
holds('runs', !core.get_pod('one', NAMESPACE).status.podIP.nil?)
holds('has a log', !core.get_pod_log('one', NAMESPACE).to_s.empty?)
holds('has an end of it', core.get_pod_log('one', NAMESPACE, tail_lines: 1).to_s.lines.size == 1)
core.delete_pod('one', NAMESPACE)
watcher = core.watch_pods(namespace: NAMESPACE, field_selector: 'metadata.name=one')
watcher.each { |notice| watcher.finish if notice.type == 'DELETED' }
refused('is gone', 404) { core.get_pod('one', NAMESPACE) }
