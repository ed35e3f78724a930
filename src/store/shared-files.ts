import path from "node:path";
import type { Host } from "../core/host.ts";
import type { PlannedProvides } from "../plan/plan.ts";

/** Where shells look for completions below a `share` folder. */
const COMPLETION_PLACES: Readonly<Record<string, (command: string) => string>> = {
  bash: (command) => `bash-completion/completions/${command}`,
  zsh: (command) => `zsh/site-functions/_${command}`,
  fish: (command) => `fish/vendor_completions.d/${command}.fish`,
};

/** Folders of a prefix's `share` whose files belong on every PATH-like variable of a shell: manual pages and completions. */
const STANDARD_FOLDERS = [
  ...Array.from({ length: 9 }, (_, section) => `man/man${section + 1}`),
  "bash-completion/completions",
  "zsh/site-functions",
  "fish/vendor_completions.d",
];

async function standardFiles(host: Host, prefix: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const folder of STANDARD_FOLDERS) {
    for (const name of await host.files.list(path.join(prefix, "share", folder))) {
      if ((await host.files.facts(path.join(prefix, "share", folder, name)))?.kind === "file") {
        found.push([`${folder}/${name}`, `share/${folder}/${name}`]);
      }
    }
  }
  return found;
}

/**
 * What of a prefix goes into the profile's `share`: manual pages and completions in their standard folders, then what
 * the manifest names, which wins.
 * @returns path in the profile's `share` to a path in the prefix
 */
export async function collectShare(
  host: Host,
  prefix: string,
  provides: PlannedProvides,
): Promise<Record<string, string>> {
  const completions = Object.entries(provides.completions).flatMap(([command, shells]) =>
    Object.entries(shells).flatMap(([shell, file]): [string, string][] => {
      const place = COMPLETION_PLACES[shell];
      return place === undefined ? [] : [[place(command), file]];
    }),
  );
  return Object.fromEntries([
    ...(await standardFiles(host, prefix)),
    ...Object.entries(provides.share),
    ...completions,
  ]);
}
