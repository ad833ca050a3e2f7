import { runtimeErrorCode } from '@keelson/apis/plugin/v1/cri.ts'
import { expect, test } from 'vitest'
import { normalizedImage } from './image-name.ts'

const digest = `sha256:${'a'.repeat(64)}`

test.each([
  { image: 'busybox', want: 'busybox:latest' },
  { image: 'busybox:1.36', want: 'busybox:1.36' },
  { image: 'localhost:5000/team/app', want: 'localhost:5000/team/app:latest' },
  { image: `registry.example/app@${digest}`, want: `registry.example/app@${digest}` },
  { image: `app:1@${digest}`, want: `app@${digest}` },
  { image: digest, want: digest },
])('$image is asked for as $want', ({ image, want }) => expect(normalizedImage(image)).toBe(want))

test.each(['', 'UPPER', 'a b', '../containers', 'app/json?x', 'app:', 'a//b', `app:${'x'.repeat(129)}`, '-app'])(
  '%j is no image name',
  (image) => {
    expect(() => normalizedImage(image)).toThrow(`couldn't parse image name ${JSON.stringify(image)}`)
    try {
      normalizedImage(image)
    } catch (error) {
      expect(runtimeErrorCode(error)).toBe('InvalidImageName')
    }
  },
)
