/**
 * Settle which permissions new files get: never any for the group's or others' writing, always the owner's own, the
 * caller's wish for the rest. With a umask of 000 others could change what is installed, with 777 ipm could not read it.
 */
export function settleUmask(): void {
  process.umask((process.umask() | 0o022) & 0o077);
}
