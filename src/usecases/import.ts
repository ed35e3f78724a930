import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { IMPORT_DEFECTS, type ImportFinding } from "../manifest/import-defects.ts";
import { type ImportedDraft, importInstallerpedia } from "../manifest/import-installerpedia.ts";
import type { Context } from "./context.ts";
import { shownPath } from "./manifest-files.ts";

/** One record that was read. */
export interface ImportedRecord {
  /** The file that it came from, as it is shown. */
  readonly file: string;
  readonly repository: string;
  readonly name: string;
  readonly methods: number;
  readonly commands: number;
  readonly findings: readonly ImportFinding[];
  /** The draft's text: to be completed by a person. */
  readonly text: string;
  /** Where the draft was written, or null. */
  readonly written: string | null;
}

export interface ImportReport {
  readonly records: readonly ImportedRecord[];
  /** How often each defect was found, and in how many records; only those that were. */
  readonly defects: readonly {
    readonly defect: string;
    readonly count: number;
    readonly records: number;
    readonly means: string;
  }[];
  /** Files that could not be read as JSON. */
  readonly unreadable: readonly { readonly file: string; readonly why: string }[];
}

export interface ImportOptions {
  /** Folder for the drafts, or null: none is written. */
  readonly output: string | null;
  readonly force: boolean;
}

const MAX_FILE_BYTES = 64 * 1024 * 1024;

async function filesOf(context: Context, typed: string): Promise<string[]> {
  const { files, facts } = context.host;
  const absolute = path.resolve(facts.cwd, typed);
  const real = await files.realPath(absolute);
  const kind = real === undefined ? undefined : (await files.facts(real))?.kind;
  if (kind === "file") return [absolute];
  if (kind !== "folder") {
    throw new IpmError("TARGET_INVALID", `${escapeUntrusted(typed)} does not exist`, {
      hint: "name JSON files or folders of them",
    });
  }
  const names = (await files.list(absolute)).filter((name) => name.endsWith(".json"));
  return names.map((name) => path.join(absolute, name));
}

async function readRecords(context: Context, file: string): Promise<readonly unknown[] | string> {
  const facts = await context.host.files.facts(file);
  if ((facts?.size ?? 0) > MAX_FILE_BYTES) return `larger than ${MAX_FILE_BYTES} bytes`;
  const text = (await context.host.files.readText(file)) ?? "";
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/u, ""));
    return Array.isArray(value) ? value : [value];
  } catch (error) {
    return `no JSON: ${escapeUntrusted(error instanceof Error ? error.message : "it cannot be read")}`;
  }
}

/** A name for the draft's file that no other draft of this run has. */
function freeName(draft: ImportedDraft, taken: Set<string>): string {
  let name = draft.name;
  for (let count = 2; taken.has(name); count++) name = `${draft.name}-${count}`;
  taken.add(name);
  return `${name}.draft.yaml`;
}

function tableOf(records: readonly ImportedRecord[]): ImportReport["defects"] {
  return Object.entries(IMPORT_DEFECTS).flatMap(([key, means]) => {
    const counts = records.map(({ findings }) => findings.filter(({ defect }) => defect === key).length);
    const count = counts.reduce((sum, one) => sum + one, 0);
    return count === 0 ? [] : [{ defect: key, count, records: counts.filter((one) => one > 0).length, means }];
  });
}

/**
 * Turn Installerpedia records into drafts with findings. No draft can be installed as it is: it has no version, and the
 * schema refuses it until a person has completed it.
 * @param paths JSON files (a record, or a list of them) and folders of them
 * @throws IpmError TARGET_INVALID, FOREIGN_FILE, IO_FAILED
 */
export async function importFiles(
  context: Context,
  paths: readonly string[],
  options: ImportOptions,
): Promise<ImportReport> {
  const { files, facts } = context.host;
  const records: ImportedRecord[] = [];
  const unreadable: { file: string; why: string }[] = [];
  const taken = new Set<string>();
  for (const typed of paths) {
    for (const file of await filesOf(context, typed)) {
      const shown = shownPath(facts.cwd, file);
      const read = await readRecords(context, file);
      if (typeof read === "string") {
        unreadable.push({ file: shown, why: read });
        continue;
      }
      for (const record of read) {
        const draft = importInstallerpedia(record);
        const { text, findings, name, repository, methods, commands } = draft;
        let written: string | null = null;
        if (options.output !== null) {
          const place = path.resolve(facts.cwd, options.output, freeName(draft, taken));
          if (!options.force && (await files.facts(place)) !== undefined) {
            throw new IpmError("FOREIGN_FILE", `${escapeUntrusted(shownPath(facts.cwd, place))} is there already`, {
              hint: "add --force to replace it, or name another --output",
              data: { path: place },
            });
          }
          await files.createFolder(path.dirname(place));
          await files.writeDurably(place, text);
          written = shownPath(facts.cwd, place);
        }
        records.push({ file: shown, repository, name, methods, commands, findings, text, written });
      }
    }
  }
  return { records, defects: tableOf(records), unreadable };
}
