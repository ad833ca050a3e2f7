import { type LabelRequirement, LabelSelectorError, parseLabelSelector as parse } from '#apis/meta/v1/label-selector.ts'
import { newBadRequest } from '#core/errors/status-error.ts'

/** Label selectors of requests; the contract and the parser are in apis, for plugins have them, too. */
export {
  formatLabelSelector,
  type LabelRequirement,
  matchesLabels,
  requirementsOf,
  validateLabelSelector,
} from '#apis/meta/v1/label-selector.ts'

/** @throws StatusError BadRequest */
export function parseLabelSelector(text: string): LabelRequirement[] {
  try {
    return parse(text)
  } catch (error) {
    throw error instanceof LabelSelectorError ? newBadRequest(error.message, error) : error
  }
}
