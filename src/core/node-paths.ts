/** Paths on a migrated node that the controller and every target agree on. */

/** 128 random bits of this attempt, carried in the target's configuration: proves whose system answers. */
export const noncePath = '/etc/k3os-migrate/nonce'

/** k3s may start once this file exists: it is written when data and node password are in place (DESIGN 6.4). */
export const releasePath = '/etc/k3os-migrate/release'
