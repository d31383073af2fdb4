import { z } from 'zod'

/**
 * Parts of `NodeFacts` that one machine has of its own: how it boots, what lies on its disks, how k3s is started. As in
 * `inventory.ts`, `null` = could not be read, and nothing here is a secret.
 */

const known = <T extends z.ZodType>(type: T) => type.nullable()

export const bootSchema = z.strictObject({
  /** The boot menu on STATE; null when there is none (overlay installs, live systems) or it could not be read. */
  menu: known(
    z.strictObject({
      /** Text after `set default=`: a number, a title, or an expression. */
      defaultEntry: known(z.string()),
      timeoutSeconds: known(z.number()),
      /** Reads `grubenv`; k3OS's own menu does not, so `grub-reboot` has no effect. */
      readsEnvironment: z.boolean(),
      entries: z.array(
        z.strictObject({
          title: z.string(),
          /** The `kernel` component it loads by k3OS's link; null for entries of other systems. */
          loads: known(z.enum(['current', 'previous'])),
          /** The argument of `linux`, and of `loopback` where the kernel lies in an image. */
          kernel: known(z.string()),
          image: known(z.string()),
          initrd: known(z.string()),
          consoles: z.array(z.string()),
        }),
      ),
    }),
  ),
  /**
   * What the entry *Previous* does. `broken`: it names a kernel that k3OS never puts there (installers before v0.11.0);
   * `nothing`: no previous kernel is installed yet; `none`: the menu has no such entry.
   */
  previous: z.enum(['boots', 'broken', 'nothing', 'none', 'unknown']),
  /** The kernel offers kexec and nobody has turned it off. */
  canKexec: known(z.boolean()),
})

export const storageSchema = z.strictObject({
  /** What carries the file system of `/var/lib/rancher`: `/dev/sda1`, `/dev/mapper/vg-state`. */
  state: known(
    z.strictObject({
      device: z.string(),
      /** `disk` = no partition table; `other` = a RAM disk, a network file system. */
      kind: z.enum(['partition', 'disk', 'lvm', 'raid', 'crypt', 'other', 'unknown']),
    }),
  ),
  raids: z.array(
    z.strictObject({
      name: z.string(),
      /** `raid1`; null while it is not running. */
      level: known(z.string()),
      members: z.array(z.string()),
      /** A member is missing or has failed. */
      degraded: z.boolean(),
    }),
  ),
  volumeGroups: z.array(z.strictObject({ name: z.string(), sizeMib: z.number(), freeMib: z.number() })),
  logicalVolumes: z.array(z.strictObject({ group: z.string(), name: z.string(), sizeMib: z.number() })),
  /** Mounts of other devices than k3OS's own and of the network, without those that pods brought. */
  extraMounts: z.array(
    z.strictObject({
      device: z.string(),
      path: z.string(),
      fsType: z.string(),
      readOnly: z.boolean(),
      network: z.boolean(),
    }),
  ),
})

export const serviceSchema = z.strictObject({
  /** Words after `k3s` as the service starts it, secrets masked; null when there is no service or it is not understood. */
  arguments: known(z.array(z.string())),
  /** Variables of the service by the file they come from, secrets masked: a later file wins. */
  environment: z.array(z.strictObject({ file: z.string(), name: z.string(), value: z.string() })),
  /**
   * The kind of token it is started with (a server without one: the token it made). `secure` names the CA and checks it
   * (`K10<hash>::server:…`), `bootstrap` is `ID.SECRET`, `short` a bare password.
   */
  token: z.enum(['secure', 'bootstrap', 'short', 'none', 'unknown']),
  /** Paths below `server/manifests` and chart archives below `server/static/charts`, relative to them. */
  manifests: z.array(z.string()),
  charts: z.array(z.string()),
  /** Objects in manifests that k3s applies, by file; missing on agents, which apply nothing, and where none were read. */
  manifestObjects: z
    .array(
      z.strictObject({
        file: z.string(),
        apiVersion: z.string(),
        kind: z.string(),
        namespace: known(z.string()),
        name: z.string(),
      }),
    )
    .optional(),
  /** Archives that k3s imports at start. */
  images: z.array(z.string()),
  /** Size of `/var/log/k3s-service.log`, which nothing rotates. */
  logBytes: known(z.number()),
})

export const certificateSchema = z.strictObject({
  path: z.string(),
  /** Common names. */
  subject: z.string(),
  issuer: z.string(),
  /** ISO times: `2022-10-08T11:02:03Z`. */
  notBefore: z.string(),
  notAfter: z.string(),
})

export const devicesSchema = z.strictObject({
  /** `id` is `vendor:device`, `class` six digits, both lower-case hexadecimal. */
  pci: z.array(
    z.strictObject({ slot: z.string(), id: z.string(), class: z.string(), driver: known(z.string()) }),
  ),
  usb: z.array(z.strictObject({ port: z.string(), id: z.string() })),
})

export type MachineCertificate = z.infer<typeof certificateSchema>
export type BootFacts = z.infer<typeof bootSchema>
export type StorageFacts = z.infer<typeof storageSchema>
export type ServiceFacts = z.infer<typeof serviceSchema>
export type DeviceFacts = z.infer<typeof devicesSchema>
