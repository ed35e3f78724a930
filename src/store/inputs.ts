import path from "node:path";
import type { Host } from "../core/host.ts";
import { defaultLine } from "./launchers.ts";
import type { Layout } from "./layout.ts";
import { removeOwn } from "./remove-own.ts";

/** Only its user may read it, and nobody needs to write it in place. */
const MODE = 0o600;
const FOLDER_MODE = 0o700;
const LINE = /^\[ -n "\$\{([A-Za-z_][A-Za-z0-9_]*)\+x\}" \] \|\| export \1='((?:[^']|'\\'')*)'$/gmu;

/** The file with what a user has given a tool, which its launchers read at every start. */
export function inputsFile(layout: Layout, name: string): string {
  return path.join(layout.inputs, name, "values");
}

function header(origin: string): string {
  return `# inputs for ${JSON.stringify(origin)}, kept by ipm`;
}

/**
 * What a user has given a tool before, by variable; empty when that was a tool of the same name from somewhere else.
 * @param origin what tells the tool from another one of its name
 */
export async function readInputs(
  host: Pick<Host, "files">,
  layout: Layout,
  name: string,
  origin: string,
): Promise<Readonly<Record<string, string>>> {
  const text = await host.files.readText(inputsFile(layout, name));
  if (text === undefined || !text.startsWith(`${header(origin)}\n`)) return {};
  return Object.fromEntries(
    [...text.matchAll(LINE)].map(([, variable = "", value = ""]) => [
      variable,
      value.replaceAll(String.raw`'\''`, "'"),
    ]),
  );
}

/**
 * Keep what a user has given, in a file that is his alone. The caller holds the lock of the tool's entries.
 * @returns puts back what was there before, for an installation that does not come about
 */
export async function writeInputs(
  host: Host,
  layout: Layout,
  name: string,
  origin: string,
  values: Readonly<Record<string, string>>,
): Promise<() => Promise<void>> {
  const file = inputsFile(layout, name);
  const folder = path.dirname(file);
  const before = await host.files.readText(file);
  const lines = Object.entries(values).map(([variable, value]) => defaultLine(variable, value));
  for (const place of [layout.inputs, folder]) {
    await host.files.createFolder(place);
    await host.files.setMode(place, FOLDER_MODE);
  }
  await host.files.writeDurably(file, `${[header(origin), ...lines].join("\n")}\n`, MODE);
  return async () => {
    if (before === undefined) await removeOwn(host, layout, folder);
    else await host.files.writeDurably(file, before, MODE);
  };
}
