# Failures become errors that tell what was wrong.
require_relative 'suite'

core = client
missing = refused('read what is not there', 404) { core.get_config_map('none', NAMESPACE) }
holds('it has a class of its own', missing.is_a?(Kubeclient::ResourceNotFoundError))
holds('it says what was asked for', missing.message == 'configmaps "none" not found')
core.create_config_map(config_map('one'))
twice = refused('made twice', 409) { core.create_config_map(config_map('one')) }
holds('it says what there is', twice.message == 'configmaps "one" already exists')
refused('a name that is none', 422) { core.create_config_map(config_map('No Name')) }
refused('an operation that no patch has', 422) do
  core.json_patch_config_map('one', [{ op: 'nonsense', path: '/data' }], NAMESPACE)
end
