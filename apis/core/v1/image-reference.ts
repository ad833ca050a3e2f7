/**
 * When to pull an image if the pod does not say: always for `latest`, named or implied, because it moves; otherwise once.
 * @param image `[registry[:port]/]path[:tag][@digest]`; empty counts as pinned, validation tells what is wrong with it
 */
export function defaultPullPolicy(image: string | undefined): 'Always' | 'IfNotPresent' {
  return image && tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent'
}

/** The tag of an image; `latest` when it names neither tag nor digest, empty for a digest alone. */
export function tagOf(image: string): string {
  const [named = '', digest] = image.split('@', 2)
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1)
  if (colon !== -1) return named.slice(colon + 1)
  return digest === undefined ? 'latest' : ''
}
