import { IpmError } from "../core/errors.ts";
import type { Candidate } from "./candidate.ts";
import { JARS, javaLaunchers } from "./java.ts";
import { insidePath } from "./listing.ts";
import { nativeRun, toolRequirement } from "./native-build.ts";
import { flagOption, mapOption, textOption } from "./options.ts";
import type { Recipe, RecipeDownload, RecipeInput, RecipeOutput } from "./recipe.ts";
import { shellWord } from "./shell-words.ts";

const ID = "file";

type Kind = "tar" | "zip" | "gz" | "xz" | "bz2" | "zst" | "jar" | "plain";

/** What a name's ending says; a sealed list, because the command must be in the plan. */
function kindOf(name: string): Kind {
  const lower = name.toLowerCase();
  if (/\.(?:tar(?:\.(?:gz|xz|bz2|zst))?|tgz|txz|tbz2?)$/u.test(lower)) return "tar";
  const ending = /\.(zip|gz|xz|bz2|zst|jar)$/u.exec(lower)?.[1];
  return ending === "zip" ||
    ending === "gz" ||
    ending === "xz" ||
    ending === "bz2" ||
    ending === "zst" ||
    ending === "jar"
    ? ending
    : "plain";
}

/** Programs that unpack, as requirements. */
function unpackersOf(kind: Kind, name: string): readonly string[] {
  if (kind === "zip") return ["unzip"];
  const lower = name.toLowerCase();
  const compression =
    kind === "tar"
      ? (
          [
            [/xz$/u, "xz"],
            [/bz2?$/u, "bzip2"],
            [/zst$/u, "zstd"],
            [/gz$/u, "gzip"],
          ] as const
        ).find(([ending]) => ending.test(lower))?.[1]
      : { gz: "gzip", xz: "xz", bz2: "bzip2", zst: "zstd", jar: undefined, plain: undefined }[kind];
  return [...(kind === "tar" ? ["tar"] : []), ...(compression === undefined ? [] : [compression])];
}

function fileNameOf(url: string): string {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  const plain = decodeURIComponent(last)
    .replaceAll(/[^A-Za-z0-9._+-]/gu, "_")
    .replace(/^[.-]+/u, "");
  return plain === "" ? "download" : plain.slice(-120);
}

function choose(input: RecipeInput): RecipeDownload {
  const name = textOption(ID, input.options, "name");
  const downloads = input.downloads ?? [];
  const found = downloads.find((one) => one.name === name);
  if (found !== undefined) return found;
  // Other methods may fit: this one is passed over with the reason.
  throw new IpmError(
    "METHOD_NOT_APPLICABLE",
    name === null ? "has no file for this platform and version" : `has no file ${name} for this platform and version`,
    { hint: "add it to the version's files" },
  );
}

/** A launcher that nothing put into `bin` yet becomes a link to the one program of that name. */
function linkLaunchers(bins: readonly string[], places: Readonly<Record<string, string>>): string {
  const lines = ['mkdir -p "$IPM_PREFIX/bin"', 'cd "$IPM_PREFIX"'];
  for (const bin of bins) {
    const place = places[bin];
    const search = `$(find . -type f -name ${shellWord(bin)} -print | awk -F/ '{ print NF, $0 }' | sort -n | head -n 1 | cut -d" " -f2-)`;
    lines.push(
      `if [ ! -e ${shellWord(`bin/${bin}`)} ]; then`,
      `  found=${place === undefined ? search : shellWord(place)}`,
      `  [ -n "$found" ] && [ -f "$found" ] || { echo "the download has no program "${shellWord(bin)} >&2; exit 1; }`,
      '  chmod +x "$found"',
      `  ln -s "../$found" ${shellWord(`bin/${bin}`)}`,
      "fi",
    );
  }
  return lines.join("\n");
}

function expand(input: RecipeInput): RecipeOutput {
  const { options, bins } = input;
  const download = choose(input);
  const file = fileNameOf(download.url);
  const to = insidePath(textOption(ID, options, "to") ?? ".");
  if (to === undefined) {
    throw new IpmError("MANIFEST_INVALID", "recipe file: option to leaves the prefix", {
      hint: "see docs/recipes/file.md",
    });
  }
  const isUnpacked = flagOption(ID, options, "unpack") !== false;
  const kind = isUnpacked ? kindOf(file) : "plain";
  const keepsTop = flagOption(ID, options, "strip") === false;
  const source = `"$TMPDIR/ipm-downloads/${file}"`;
  const target = (place: string): string => shellWord(`{prefix}/${place}`);
  const [first] = bins;
  const lines: string[] = [];
  let isData = download.name !== null;
  if (kind === "tar" || kind === "zip") {
    const unpack = kind === "tar" ? `tar -xf ${source} -C "$out" --no-same-owner` : `unzip -q ${source} -d "$out"`;
    lines.push(
      'out="$TMPDIR/ipm-unpacked"',
      'rm -rf "$out"; mkdir -p "$out"',
      unpack,
      // Most archives hold one folder with everything in it.
      ...(keepsTop
        ? []
        : [
            'if [ "$(ls -A "$out" | wc -l)" -eq 1 ] && [ -d "$out/$(ls -A "$out")" ]; then out="$out/$(ls -A "$out")"; fi',
          ]),
      `mkdir -p ${target(to)}`,
      `cp -RPp "$out/." ${target(to)}`,
      'rm -rf "$TMPDIR/ipm-unpacked"',
    );
  } else {
    const command = { gz: "gzip -dc", xz: "xz -dc", bz2: "bzip2 -dc", zst: "zstd -dc", jar: "cat", plain: "cat" }[kind];
    const base = kind === "plain" || kind === "jar" ? file : file.replace(/\.[^.]+$/u, "");
    const isProgram = !isData && kind !== "jar" && to === "." && first !== undefined;
    const place = to !== "." ? to : kind === "jar" ? `${JARS}/${file}` : isProgram ? `bin/${first}` : `share/${base}`;
    const folder = place.includes("/") ? place.slice(0, place.lastIndexOf("/")) : "";
    lines.push(`mkdir -p ${target(folder)}`, `${command} ${source} > ${target(place)}`);
    if (!isData && kind !== "jar") lines.push(`chmod 755 ${target(place)}`);
    isData ||= kind === "jar" || (to !== "." && !bins.includes(place.split("/").at(-1) ?? ""));
  }
  const title = isUnpacked && kind !== "plain" && kind !== "jar" ? `unpack ${file}` : `put ${file} into the prefix`;
  const steps = [nativeRun(title, lines.join("\n"), {}, "a download, pinned by its sha256")];
  if (!isData && bins.length > 0) {
    steps.push(nativeRun("link the programs", linkLaunchers(bins, mapOption(ID, options, "bin")), {}, null));
  }
  return {
    steps,
    requires: [
      ...unpackersOf(kind, file).map((tool) => toolRequirement(tool, "unpacks the download")),
      ...(kind === "jar" ? [toolRequirement("java", "runs the tool", { for: "both" })] : []),
    ],
    bins: {},
    ...(kind === "jar" && download.name === null ? { launchers: javaLaunchers(bins, {}, file, []) } : {}),
    downloads: [{ file, url: download.url, sha256: download.sha256, bytes: download.bytes }],
    notices:
      download.name === null
        ? [`${file} was built by upstream, not from this commit`]
        : [`${file} is a download of its own, not from this commit`],
  };
}

/** A download that a version pins: a release's binary, a jar, data. ipm fetches and checks it; nothing of it is built. */
export const fileRecipe: Recipe = {
  id: ID,
  summary: "Take a file that the version pins by its sha256, for this platform, and unpack it into the prefix.",
  options: {
    name: "the file of this name; default: the one without a name for this platform",
    to: "where it goes in the prefix; a folder for an archive; default: its root, or `bin` for a single program",
    bin: "launcher to its file in the prefix, where the names differ: {rc: rc-linux-x64}",
    strip: "false: keep the one folder that an archive holds",
    unpack: "false: put the file there as it is",
  },
  reads: () => [],
  expand,
  detectReads: () => [],
  detect: (): readonly Candidate[] => [],
};
