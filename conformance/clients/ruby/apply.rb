# Server-side apply, by a manager of its own.
require_relative 'suite'

core = client
applied = core.apply_config_map(config_map('applied', { a: '1' }), field_manager: 'ruby')
holds('an apply makes the object', applied.data.to_h == { a: '1' })
holds('its manager is known', applied.metadata.managedFields.map(&:manager) == ['ruby'])
again = core.apply_config_map(config_map('applied', { b: '2' }), field_manager: 'ruby')
holds('an apply takes a field back', again.data.to_h == { b: '2' })
