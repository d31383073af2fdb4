// The shape of a configuration: rancher/k3os pkg/config/config.go, in its order. What names reach a field is derived
// from it in `names.ts`, types are enforced in `decode.ts`.

export type Field =
  | { readonly type: 'text' }
  | { readonly type: 'flag' }
  | TextsField
  | { readonly type: 'text-map' }
  /** `nullable`: Go holds a pointer, so null removes the object instead of meaning nothing. */
  | { readonly type: 'object'; readonly shape: Shape; readonly nullable: boolean }
  | ObjectsField

export interface TextsField {
  readonly type: 'texts'
}

export interface ObjectsField {
  readonly type: 'objects'
  readonly shape: Shape
}

export interface Shape {
  readonly name: string
  readonly fields: ReadonlyMap<string, Field>
  /** Every field is printed, empty or not (only files: their JSON tags lack `omitempty`). */
  readonly complete: boolean
}

const text: Field = { type: 'text' }
const flag: Field = { type: 'flag' }
const texts: Field = { type: 'texts' }
const textMap: Field = { type: 'text-map' }

function shape(name: string, fields: Readonly<Record<string, Field>>, complete = false): Shape {
  return { name, fields: new Map(Object.entries(fields)), complete }
}

const file = shape(
  'file',
  { encoding: text, content: text, owner: text, path: text, permissions: text },
  true,
)
const wifi = shape('wifi', { name: text, passphrase: text })
const install = shape('install', {
  forceEfi: flag,
  device: text,
  configUrl: text,
  silent: flag,
  isoUrl: text,
  powerOff: flag,
  noFormat: flag,
  debug: flag,
  tty: text,
})
const k3os = shape('k3os', {
  dataSources: texts,
  modules: texts,
  sysctls: textMap,
  ntpServers: texts,
  dnsNameservers: texts,
  wifi: { type: 'objects', shape: wifi },
  password: text,
  serverUrl: text,
  token: text,
  labels: textMap,
  k3sArgs: texts,
  environment: textMap,
  taints: texts,
  install: { type: 'object', shape: install, nullable: true },
})

export const rootShape = shape('root', {
  sshAuthorizedKeys: texts,
  writeFiles: { type: 'objects', shape: file },
  hostname: text,
  k3os: { type: 'object', shape: k3os, nullable: false },
  runCmd: texts,
  bootCmd: texts,
  initCmd: texts,
})
