# Server-side apply, by a manager of its own. This client sends a hash as it is, where it knows no resource as text.
require_relative 'suite'

core = client
applied = ->(data) { { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied', namespace: NAMESPACE }, data: data } }
made = core.apply_config_map(applied.call({ a: '1' }), field_manager: 'ruby')
holds('an apply makes the object', made.data.to_h == { a: '1' })
holds('its manager is known', made.metadata.managedFields.map(&:manager) == ['ruby'])
again = core.apply_config_map(applied.call({ b: '2' }), field_manager: 'ruby')
holds('an apply takes a field back', again.data.to_h == { b: '2' })
refused('what another manager owns', 409) do
  core.apply_config_map(applied.call({ b: '3' }), field_manager: 'other', force: false)
end
