import type { Candidate, Confidence, DetectInput } from "./candidate.ts";
import type { SourceFile } from "./listing.ts";
import { RECIPES } from "./recipes.ts";

const RANK: Readonly<Record<Confidence, number>> = { certain: 0, likely: 1, possible: 2 };

/** Most files that a detection reads: a repository with more of them is looked at in part. */
export const MAX_DETECT_READS = 200;

/** Files that make a folder a project of some ecosystem. */
const PROJECT =
  /^(?:package\.json|pyproject\.toml|setup\.(?:py|cfg)|Cargo\.toml|go\.mod|CMakeLists\.txt|meson\.build|configure(?:\.ac)?|(?:GNU)?[Mm]akefile|pom\.xml|build\.gradle(?:\.kts)?)$/u;
/** Folders of projects that are not the tool. */
const ASIDE = /^(?:\..*|tests?|docs?|examples?|samples?|demos?|website|benchmarks?|third_party|vendor|node_modules)$/u;
const MAX_FOLDERS = 6;
/** Of several the one that is most likely the tool: guides have `complete` beside `initial`. */
const PREFERRED = ["cli", "app", "complete", "src", "cmd", "tool", "server"];

/** Folders to look at where the root itself is no project, the most likely one first. */
function projectFolders(files: readonly SourceFile[], name: string): readonly string[] {
  if (files.some(({ path }) => !path.includes("/") && PROJECT.test(path))) return [];
  const folders = files.flatMap(({ path }) => {
    const [folder = "", file = "", more] = path.split("/");
    return more === undefined && PROJECT.test(file) && !ASIDE.test(folder) ? [folder] : [];
  });
  const order = [name.toLowerCase(), ...PREFERRED];
  const place = (folder: string): number => {
    const at = order.indexOf(folder.toLowerCase());
    return at === -1 ? order.length : at;
  };
  return [...new Set(folders)].toSorted((a, b) => place(a) - place(b)).slice(0, MAX_FOLDERS);
}

function filesBelow(files: readonly SourceFile[], folder: string): readonly SourceFile[] {
  const start = `${folder}/`;
  return files.flatMap((file) =>
    file.path.startsWith(start) ? [{ ...file, path: file.path.slice(start.length) }] : [],
  );
}

/** Files whose text the detection of all recipes wants, at most `MAX_DETECT_READS`. */
export function detectReads(files: readonly SourceFile[]): readonly string[] {
  const below = projectFolders(files, "").flatMap((folder) => {
    const own = filesBelow(files, folder);
    return RECIPES.flatMap((recipe) => recipe.detectReads(own)).map((path) => `${folder}/${path}`);
  });
  return [...new Set([...RECIPES.flatMap((recipe) => recipe.detectReads(files)), ...below])].slice(0, MAX_DETECT_READS);
}

/** What the recipes see in one folder, as steps that work in there. */
function detectBelow(input: DetectInput, folder: string, known: ReadonlySet<string>): readonly Candidate[] {
  const start = `${folder}/`;
  const texts = Object.fromEntries(
    Object.entries(input.texts).flatMap(([path, text]) =>
      path.startsWith(start) ? [[path.slice(start.length), text]] : [],
    ),
  );
  const own = { ...input, files: filesBelow(input.files, folder), texts };
  // Evidence is of the whole repository; scripts named like the repository were looked for at its root already.
  return RECIPES.filter(({ id }) => id !== "copy" && !known.has(id)).flatMap((recipe) =>
    recipe.detect(own).map((candidate) => ({
      ...candidate,
      dir: candidate.dir === null ? folder : `${start}${candidate.dir}`,
      evidence: candidate.evidence.map((line) =>
        /^[\w.-]+(?:\/[\w.-]+)*\.\w+(?:[: ]|$)/u.test(line) ? start + line : line,
      ),
    })),
  );
}

/**
 * Every way to install a repository that some recipe sees, the surest first; of equals those nearer to the root, then in
 * the recipes' order. Where the root is no project, the folders below it are looked at. Pure.
 */
export function detect(input: DetectInput): readonly Candidate[] {
  const depth = ({ dir }: Candidate): number => (dir === null ? 0 : dir.split("/").length);
  const atRoot = RECIPES.flatMap((recipe) => recipe.detect(input));
  // Some recipes look below by themselves.
  const known = new Set(atRoot.map(({ recipe }) => recipe));
  const below = projectFolders(input.files, input.name).flatMap((folder) => detectBelow(input, folder, known));
  return [...atRoot, ...below].toSorted((a, b) => RANK[a.confidence] - RANK[b.confidence] || depth(a) - depth(b));
}
