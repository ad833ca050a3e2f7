import { RuntimeError } from '@keelson/apis/plugin/v1/cri.ts'

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const host = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?'
const reference = new RegExp(
  `^((?:${host}/)?${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9+._-]*:[0-9a-fA-F]{32,})?$`,
)
const imageId = /^(?:sha256:)?[0-9a-f]{64}$/

/**
 * The reference with `:latest` where it has neither tag nor digest; an image's id stays as it is. Nothing else may go into
 * a path of the engine's API.
 * @throws RuntimeError `InvalidImageName`
 */
export function normalizedImage(image: string): string {
  if (imageId.test(image)) return image
  const match = image.length <= 4096 ? reference.exec(image) : null
  if (!match) {
    throw new RuntimeError(
      'InvalidImageName',
      `couldn't parse image name ${JSON.stringify(image)}: invalid reference format`,
    )
  }
  const [, name, tag, digest] = match
  if (digest) return `${name}${digest}`
  return `${name}:${tag ?? 'latest'}`
}
