import type { BindPlugin, PluginContext } from '../framework/types.ts'

/** Writes the decision to the API server. */
export function defaultBinder({ api }: PluginContext): BindPlugin {
  return {
    name: 'default-binder',
    async bind(_state, pod, node, signal) {
      await api.bind(pod, node, signal)
      return undefined
    },
  }
}
