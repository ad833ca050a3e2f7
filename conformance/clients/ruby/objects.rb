# Objects: made, read, listed in pages, updated, patched in every way the client has, and deleted.
require_relative 'suite'

core = client
made = core.create_config_map(config_map('one', { a: '1' }))
holds('created', !made.metadata.uid.nil?)
read = core.get_config_map('one', NAMESPACE)
holds('read', read.data.to_h == { a: '1' })
read.data.a = '2'
holds('updated', core.update_config_map(read).data.a == '2')
refused('updated from an old version', 409) { core.update_config_map(made) }

holds('a strategic patch', core.patch_config_map('one', { data: { b: '3' } }, NAMESPACE).data.to_h == { a: '2', b: '3' })
holds('a merge patch', core.merge_patch_config_map('one', { data: { a: nil } }, NAMESPACE).data.to_h == { b: '3' })
operations = [{ op: 'replace', path: '/data/b', value: '4' }]
holds('a JSON patch', core.json_patch_config_map('one', operations, NAMESPACE).data.to_h == { b: '4' })

5.times { |at| core.create_config_map(config_map("page-#{at}", {}, { mine: 'yes' })) }
names = []
token = nil
loop do
  page = core.get_config_maps(namespace: NAMESPACE, label_selector: 'mine=yes', limit: 2, continue: token)
  names += page.map { |item| item.metadata.name }
  token = page.continue
  break if page.last?
end
holds('listed in pages', names == (0..4).map { |at| "page-#{at}" })
holds('counted by label', core.get_config_maps(namespace: NAMESPACE, label_selector: 'mine=no').empty?)

core.delete_config_map('one', NAMESPACE)
refused('read when it is gone', 404) { core.get_config_map('one', NAMESPACE) }

apps = client('/apis/apps')
template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'example.com/app:1' }] } }
apps.create_deployment(
  Kubeclient::Resource.new(
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { replicas: 0, selector: { matchLabels: { app: 'web' } }, template: template }
  )
)
deployment = apps.get_deployment('web', NAMESPACE)
holds('defaults are filled in', deployment.spec.strategy.rollingUpdate.maxSurge == '25%')
options = Kubeclient::Resource.new(propagationPolicy: 'Background')
apps.delete_deployment('web', NAMESPACE, delete_options: options)
refused('the deployment is gone', 404) { apps.get_deployment('web', NAMESPACE) }
