import { parse } from 'yaml'
import { z } from 'zod'

// Rules of yip, Kairos and the Elemental operator that their loaders do not ask for: they pass over keys they do not know, and
// take any name, mode and template. From the sources of rancher/yip 1.9.6, mudler/yip 1.24, kairos-io/kairos 4.2 (sdk/schema),
// kairos-io/provider-kairos 2.16 (internal/provider/config) and rancher/elemental-operator 1.9.2.

const texts = z.array(z.string())
/** Bits beyond 0777 mean that somebody wrote an octal number as a decimal one: 644 is 01204. */
const mode = z
  .int()
  .min(0o400)
  .max(0o777)
  .refine((value) => (value & 0o400) !== 0, 'nobody could read it')
const encoding = z.enum(['', 'b64', 'base64', 'gz', 'gzip', 'gz+b64', 'gz+base64', 'gzip+b64', 'gzip+base64'])
const user = z.strictObject({
  uid: z.string().optional(),
  shell: z.string().optional(),
  passwd: z.string().optional(),
  groups: texts.optional(),
  primary_group: z.string().optional(),
  homedir: z.string().optional(),
  lock_passwd: z.boolean().optional(),
  ssh_authorized_keys: texts.optional(),
})
const step = z.strictObject({
  name: z.string(),
  if: z.string().optional(),
  commands: texts.optional(),
  directories: z.array(z.strictObject({ path: z.string(), permissions: mode })).optional(),
  files: z
    .array(
      z.strictObject({
        path: z.string().startsWith('/'),
        permissions: mode,
        owner: z.int().optional(),
        group: z.int().optional(),
        // No ownerstring: a name that does not exist fails the step, and Elemental the whole stage with it.
        encoding: encoding.optional(),
        content: z.string(),
      }),
    )
    .optional(),
  users: z.record(z.string(), user).optional(),
  hostname: z.string().optional(),
  systemctl: z.strictObject({ enable: texts.optional(), disable: texts.optional() }).optional(),
})
/** Stages that both systems run at a boot. */
const stages = z.record(
  z.string().regex(/^(?:rootfs|initramfs|fs|boot|network|reconcile)(?:\.before|\.after)?$/, 'nobody runs it'),
  z.array(step),
)
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)

const elemental = z.strictObject({ name: z.string(), stages })

const k3s = z.strictObject({
  enabled: z.literal(true),
  env: z.record(z.string(), z.string()).optional(),
  args: texts.optional(),
  replace_env: z.boolean().optional(),
  replace_args: z.boolean().optional(),
  embedded_registry: z.boolean().optional(),
})
const kairos = z
  .strictObject({
    hostname: z.string().optional(),
    users: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[a-z_][a-z0-9_]{0,30}$/),
          groups: texts,
          passwd: z.string().optional(),
          ssh_authorized_keys: texts.optional(),
        }),
      )
      .refine((users) => users.some(({ groups }) => groups.includes('admin')), 'no user in the group admin'),
    install: z
      .strictObject({
        device: z.string().regex(/^(?:auto|\/dev\/.+|script:\/\/.+)$/),
        auto: z.boolean(),
        reboot: z.boolean().optional(),
        poweroff: z.boolean().optional(),
      })
      .refine(({ reboot, poweroff }) => reboot !== true || poweroff !== true, 'reboot and poweroff')
      .optional(),
    k3s: k3s.optional(),
    'k3s-agent': k3s.optional(),
    stages,
  })
  .refine((document) => !('k3s' in document && 'k3s-agent' in document), 'k3s wins over k3s-agent')

const label = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
const registration = z.strictObject({
  apiVersion: z.literal('elemental.cattle.io/v1beta1'),
  kind: z.literal('MachineRegistration'),
  metadata: z.strictObject({ name: label, namespace: label }),
  spec: z.strictObject({
    machineName: hostName,
    token: label.optional(),
    machineInventoryLabels: z.record(z.string(), z.string()),
    config: z.strictObject({
      elemental: z.strictObject({
        registration: z.strictObject({ auth: z.enum(['tpm', 'mac', 'sys-uuid']) }),
        install: z.strictObject({
          device: z.string().startsWith('/dev/').optional(),
          reboot: z.boolean(),
          'eject-cd': z.boolean(),
          snapshotter: z.strictObject({
            type: z.enum(['loopdevice', 'btrfs']),
            maxSnaps: z.int().min(2),
          }),
        }),
      }),
      // Beside `stages` the operator drops every key of cloud-init.
      'cloud-config': elemental,
    }),
  }),
})

/** What is wrong with a file for Elemental's yip. */
export function elementalMistakes(text: string): string[] {
  const document: unknown = parse(text)
  return [...shapeMistakes(elemental, document), ...stepMistakes(document)]
}

/** What is wrong with a Kairos configuration. */
export function kairosMistakes(text: string): string[] {
  const document: unknown = parse(text)
  return [
    ...(text.startsWith('#cloud-config\n') ? [] : ['the first line is not #cloud-config']),
    ...(text.length > 1_000_000 ? ['longer than 1 MB: it is passed over'] : []),
    ...shapeMistakes(kairos, document),
    ...stepMistakes(document),
  ]
}

/** What is wrong with a MachineRegistration, its cloud-config included. */
export function registrationMistakes(document: unknown): string[] {
  const { spec } = (document ?? {}) as {
    readonly spec?: { readonly config?: Readonly<Record<string, unknown>> }
  }
  return [...shapeMistakes(registration, document), ...stepMistakes(spec?.config?.['cloud-config'])]
}

function shapeMistakes(schema: z.ZodType, document: unknown): string[] {
  const { error } = schema.safeParse(document)
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? []
}

/** Braces that come out as braces are none. */
const hasTemplate = (text: string): boolean => text.replaceAll('{{"{{"}}', '').includes('{{')

/** Folders that both images have, or make before the first stage that writes files. */
const present = new Set(
  `/ /etc /etc/ssh /etc/sysctl.d /etc/modules-load.d /etc/modprobe.d /etc/sudoers.d /etc/tmpfiles.d /etc/rancher
  /etc/systemd /etc/systemd/system /etc/systemd/network /etc/NetworkManager/system-connections /etc/k3os-migrate
  /home /home/rancher /mnt /opt /root /run /srv /tmp /usr/local /usr/local/bin /var /var/lib /var/log /var/tmp`.split(
    /\s+/,
  ),
)

/** Rules about folders, and about what yip takes for a template. */
function stepMistakes(document: unknown): string[] {
  const parsed = z.object({ stages }).safeParse(document)
  if (!parsed.success) return []
  const folders = new Set(present)
  return Object.values(parsed.data.stages)
    .flat()
    .flatMap((one) => {
      for (const { path } of one.directories ?? []) folders.add(path)
      return [
        ...(one.commands ?? []).filter(hasTemplate).map((line) => `template in ${line}`),
        ...(one.files ?? []).flatMap(({ path, content, encoding: coded }) => {
          const plain = coded === 'b64' ? Buffer.from(content, 'base64').toString('latin1') : content
          return [
            ...(hasTemplate(plain) ? [`template in ${path}`] : []),
            ...(folders.has(path.slice(0, path.lastIndexOf('/')) || '/')
              ? []
              : [`${path}: its folder gets the mode of the file`]),
          ]
        }),
      ]
    })
}
