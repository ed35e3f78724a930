import { isIpmError } from "../core/errors.ts";

/**
 * Write something that makes the next command quicker. A cache that cannot be written to is no reason to fail.
 * @throws whatever `write` throws that is no failure to write (IO_FAILED, DISK_FULL)
 */
export async function writeToCache(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!isIpmError(error, "IO_FAILED") && !isIpmError(error, "DISK_FULL")) throw error;
  }
}
