import { closeSync } from "node:fs";
import type { Files, Host, Processes } from "../../src/core/host.ts";

/** What a dead process would say if it could. */
export class Dead extends Error {}

/**
 * A host that dies at a checkpoint as a killed process does: from then on nothing that cleans up has any effect, and
 * the locks are free because the kernel closes the descriptors.
 * @param checkpoint the how-many-th checkpoint is the last; infinite for one that lives
 */
export function mortalHost(host: Host, checkpoint: number): { readonly host: Host; readonly passed: () => number } {
  let passed = 0;
  let dead = false;
  const open = new Set<number>();
  const guard = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          if (dead) throw new Dead();
          return Reflect.apply(member, target, args);
        };
      },
    });
  const files = guard<Files>({
    ...host.files,
    openForLock: async (file) => {
      const descriptor = await host.files.openForLock(file);
      open.add(descriptor);
      return descriptor;
    },
    close: async (descriptor) => {
      open.delete(descriptor);
      await host.files.close(descriptor);
    },
  });
  return {
    passed: () => passed,
    host: {
      ...host,
      files,
      processes: guard<Processes>({ ...host.processes }),
      checkpoint: () => {
        if (dead) throw new Dead();
        passed += 1;
        if (passed < checkpoint) return;
        dead = true;
        for (const descriptor of open) closeSync(descriptor);
        throw new Dead();
      },
    },
  };
}
