# Watches: from a version on and by label, over a connection of their own.
require_relative 'suite'

core = client
start = core.get_config_maps(namespace: NAMESPACE).resourceVersion
core.create_config_map(config_map('one', {}, { mine: 'yes' }))
core.create_config_map(config_map('other', {}, { mine: 'no' }))
core.merge_patch_config_map('one', { data: { a: '1' } }, NAMESPACE)
core.delete_config_map('one', NAMESPACE)

seen = []
watcher = core.watch_config_maps(namespace: NAMESPACE, label_selector: 'mine=yes', resource_version: start)
watcher.each do |notice|
  seen << [notice.type, notice.object.metadata.name]
  watcher.finish if notice.type == 'DELETED'
end
holds('from a version on, by label', seen == [%w[ADDED one], %w[MODIFIED one], %w[DELETED one]])

Thread.new { core.create_config_map(config_map('late', {}, { mine: 'late' })) }
late = nil
watcher = core.watch_config_maps(namespace: NAMESPACE, label_selector: 'mine=late')
watcher.each do |notice|
  late = notice.object.metadata.name
  watcher.finish
end
holds('what comes while it waits', late == 'late')
