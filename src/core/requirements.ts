import { z } from 'zod'

/** What a target asks of a machine and offers it. Gates compare it with the facts. */
export const requirementsSchema = z
  .strictObject({
    /** `uname -m` values. */
    machines: z.array(z.string()).readonly(),
    memoryMib: z.number(),
    diskMib: z.number(),
    /** 1-4 for x86-64-v1 … v4. */
    x86Level: z.number(),
    firmware: z.array(z.enum(['uefi', 'bios'])).readonly(),
    /** cgroup hierarchies the system can offer. */
    cgroup: z.array(z.enum(['v1', 'v2'])).readonly(),
    /** Whether the node joins the same k3s cluster again. */
    rejoins: z.boolean(),
    /** Left out: not known, and so never a reason. */
    network: z
      .strictObject({
        /** Kernel drivers of network cards this system does not have. */
        lacksDrivers: z.array(z.string()).readonly(),
        /** Files that some cards load at their start: on every image, or in a package to be added. */
        cardFirmware: z.enum(['included', 'separate']),
        /** `setup`: works once packages and a network are added. */
        wifi: z.enum(['works', 'setup', 'none']),
      })
      .readonly()
      .optional(),
    /** Boards without PC firmware, by the beginning of their model name; left out: not known. */
    boards: z
      .strictObject({ boots: z.array(z.string()).readonly(), never: z.array(z.string()).readonly() })
      .readonly()
      .optional(),
    /** Left out: there is one. Nothing moves to a system without an image. */
    image: z.literal('none yet').optional(),
    /** Lines of k3s it can carry, `1.19`; `null` = no limit. Left out: any. */
    k3s: z
      .strictObject({ oldest: z.string().nullable(), newest: z.string().nullable() })
      .readonly()
      .optional(),
  })
  .readonly()
export type Requirements = z.infer<typeof requirementsSchema>
