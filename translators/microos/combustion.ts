import type { HostModel } from '../../src/core/host/model.ts'
import { toBase64 } from '../../src/core/base64.ts'
import { firstInvalidUtf8, utf8Decode } from '../../src/core/k3os/bytes.ts'
import { sh } from '../../src/core/shell.ts'
import type { TranslateTools } from '../../src/core/translation.ts'
import type { RootFile } from '../linux/root-file.ts'

export interface CombustionSource {
  readonly name: string
  readonly host: HostModel
  /** Names of ports and connections: the initrd needs them too. */
  readonly network: readonly RootFile[]
  readonly files: readonly RootFile[]
  readonly units: readonly string[]
}

/** The script that combustion runs on the first boot (openSUSE/combustion README). Holds secrets. */
export function combustionScript(
  { name, host, network, files, units }: CombustionSource,
  tools: TranslateTools,
): string {
  const { user } = host
  const home = `/home/${user.name}`
  const keys = user.authorizedKeys.map((key) => `${key.value}\n`).join('')
  return tools.render('microos/script.hbs', {
    name,
    user: user.name,
    uid: user.uid,
    home,
    network: network.map(put),
    files: files.filter((file) => !network.includes(file)).map(put),
    keys: keys === '' ? null : input(new TextEncoder().encode(keys)),
    password:
      user.password === null
        ? null
        : {
            option: user.password.encrypted ? ' -e' : '',
            input: input(new TextEncoder().encode(`${user.name}:${user.password.value}\n`)),
          },
    runsK3s: host.k3s.role !== 'none',
    units: units.join(' '),
  })
}

function put(file: RootFile): object {
  return {
    mode: file.mode.toString(8).padStart(4, '0'),
    owner: sh(file.owner).replace(/^'([\w:.-]+)'$/, '$1'),
    path: sh(file.path).replace(/^'([\w/.@-]+)'$/, '$1'),
    input: input(file.content),
  }
}

const end = 'END_OF_FILE'

/** How a shell gets these bytes: as they are where they are lines of text, otherwise as base64. */
function input(bytes: Uint8Array): string {
  const text = firstInvalidUtf8(bytes) === -1 ? utf8Decode(bytes) : null
  if (text === '') return '</dev/null'
  const asIs =
    text !== null &&
    text.endsWith('\n') &&
    !/[^\t\n\u0020-\u007e\u00a0-\uffff]/.test(text) &&
    !text.split('\n').includes(end)
  if (asIs) return `<<'${end}'\n${text}${end}`
  const lines = toBase64(bytes).replaceAll(/.{76}(?=.)/g, '$&\n')
  return `< <(base64 -d <<'${end}'\n${lines}\n${end}\n)`
}
