import { describe, expect, it } from 'vitest'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { templateTools } from '../../../src/adapters/templates.ts'
import { translateNode } from '../../../src/core/translate-node.ts'
import { translator } from '../../../translators/flatcar/index.ts'
import { caseNames } from '../../support/config-case.ts'
import { goldenNode } from '../../support/golden-node.ts'

const root = fileURLToPath(new URL('../../golden/translate/', import.meta.url))

interface Entry {
  readonly path: string
  readonly mode: number
  readonly user?: object
  readonly contents: { readonly source?: string; readonly inline?: string }
}

interface Document {
  readonly passwd: { readonly users: readonly Readonly<Record<string, unknown>>[] }
  readonly storage: { readonly files: readonly Entry[] }
  readonly systemd: object
}

/** What both forms say, in one of them: texts as bytes, keys as Ignition spells them. */
function meaning({ passwd, storage, systemd }: Document): object {
  return {
    users: passwd.users.map((user) =>
      Object.fromEntries(
        Object.entries(user).map(([key, value]) => [
          key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
          value,
        ]),
      ),
    ),
    files: storage.files.map(({ contents, ...file }) => ({
      ...file,
      contents:
        contents.inline === undefined
          ? contents.source
          : `data:;base64,${Buffer.from(contents.inline).toString('base64')}`,
    })),
    systemd,
  }
}

describe.each(caseNames(root).filter((name) => name !== 'rejected'))('%s', (name) => {
  const { files } = translateNode(goldenNode(`${root}${name}`), translator, templateTools())
  const text = (path: string) => String(files.find((file) => file.path === path)?.content)

  it('says the same in Butane as in Ignition', () => {
    // Modes are octal in YAML 1.1, as in Butane.
    const source = parse(text('config.bu'), { version: '1.1' }) as Document
    expect(meaning(source)).toEqual(meaning(JSON.parse(text('config.ign')) as Document))
  })

  it('writes nothing below the read-only /usr', () => {
    const { storage } = JSON.parse(text('config.ign')) as Document
    expect(storage.files.filter(({ path }) => path.startsWith('/usr/'))).toEqual([])
  })
})
