/** What expressions that make JSON patches may call besides: a key of an object as a part of a path. */
import { define, type Library } from '../environment.ts'
import { string } from '../types.ts'

/** @see https://www.rfc-editor.org/rfc/rfc6901 */
const escapeKey = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1')

export const jsonPatch: Library = [define('jsonpatch.escapeKey', [string], string, escapeKey)]
