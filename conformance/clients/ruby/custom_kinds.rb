# A custom kind: defined, found by discovery, used by the names it gives itself, and removed.
require_relative 'suite'

group = "#{NAMESPACE}.ruby.example.com"
extensions = client('/apis/apiextensions.k8s.io')
schema = {
  type: 'object',
  properties: { spec: { type: 'object', properties: { size: { type: 'integer', minimum: 1 } } } }
}
extensions.create_custom_resource_definition(
  Kubeclient::Resource.new(
    metadata: { name: "gadgets.#{group}" },
    spec: {
      group: group,
      scope: 'Namespaced',
      names: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }]
    }
  )
)

def established?(definition)
  conditions = definition.status&.conditions || []
  conditions.any? { |one| one.type == 'Established' && one.status == 'True' }
end

begin
  watcher = extensions.watch_custom_resource_definitions(name: "gadgets.#{group}")
  watcher.each { |notice| watcher.finish if established?(notice.object) }
  custom = client("/apis/#{group}")
  custom.discover
  gadget = { metadata: { name: 'one', namespace: NAMESPACE }, spec: { size: 1 } }
  made = custom.create_gadget(Kubeclient::Resource.new(gadget))
  holds('created', made.metadata.generation == 1)
  bad = Kubeclient::Resource.new(gadget.merge(metadata: { name: 'two', namespace: NAMESPACE }, spec: { size: 0 }))
  refused('created against its schema', 422) { custom.create_gadget(bad) }
  holds('patched', custom.merge_patch_gadget('one', { spec: { size: 2 } }, NAMESPACE).spec['size'] == 2)
  holds('listed', custom.get_gadgets(namespace: NAMESPACE).map { |item| item.metadata.name } == ['one'])
  custom.delete_gadget('one', NAMESPACE)
  refused('read when it is gone', 404) { custom.get_gadget('one', NAMESPACE) }
ensure
  extensions.delete_custom_resource_definition("gadgets.#{group}")
end
