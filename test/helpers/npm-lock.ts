import { createHash } from "node:crypto";

/** A sha512 as npm writes it, of any text. */
export function sha512Of(text: string): string {
  return `sha512-${createHash("sha512").update(text).digest("base64")}`;
}

export type LockEntry = Readonly<Record<string, unknown>>;

/** The lock that `ipm bump` writes for ripcat 2.1.0 with one dependency; `change` mends its packages by their place. */
export function npmLock(change: Readonly<Record<string, LockEntry | undefined>> = {}): Record<string, string> {
  const packages = {
    "": { name: "ipm-package", version: "0.0.0", dependencies: { ripcat: "2.1.0" } },
    "node_modules/ripcat": {
      version: "2.1.0",
      integrity: sha512Of("ripcat"),
      bin: { rc: "bin/rc.js" },
      engines: { node: ">=20" },
      dependencies: { unarc: "^1.0.0" },
    },
    "node_modules/unarc": { version: "1.0.3", integrity: sha512Of("unarc"), hasInstallScript: true },
    ...change,
  };
  const lock = { name: "ipm-package", version: "0.0.0", lockfileVersion: 3, requires: true, packages };
  return {
    "package.json": JSON.stringify({
      name: "ipm-package",
      version: "0.0.0",
      private: true,
      dependencies: { ripcat: "2.1.0" },
    }),
    "package-lock.json": JSON.stringify(lock),
  };
}
