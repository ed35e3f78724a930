import { IpmError } from "../core/errors.ts";
import type { Requirement } from "../manifest/manifest.ts";
import type { Server } from "./candidate.ts";
import { lineOfMatch } from "./listing.ts";
import { nativeRun, toolRequirement } from "./native-build.ts";
import type { Options } from "./options.ts";
import { listOption, mapOption, textOption } from "./options.ts";
import type { DraftRun, RecipeLauncher } from "./recipe.ts";
import { shellWord } from "./shell-words.ts";

/** Starters of Spring Boot that bring a web server (Spring Boot reference, "Starters"). */
const SPRING_WEB = /\bspring-boot-starter-(?:web|webmvc|webflux|jersey|web-services|data-rest)(?![\w-])/u;

/** The server that a Spring Boot application is, by the dependencies of its build file; undefined for any other. */
export function springServer(file: string, text: string): Server | undefined {
  const line = lineOfMatch(text, SPRING_WEB);
  if (line === 0) return undefined;
  return {
    arguments: "--server.address=127.0.0.1 --server.port=8080",
    url: "http://127.0.0.1:8080/",
    evidence: `${file}:${line} a Spring Boot web server`,
  };
}

/** Where jars are in the prefix. */
export const JARS = "lib/java";

/** A name that Java has for classes: `com.example.Main`. */
const CLASS = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/u;

/** Java's own number for a release: `1.8` is 8. */
export function javaRelease(text: string | undefined): number | null {
  const number = /^(?:1\.)?([0-9]{1,2})(?:\.[0-9.]+)?$/u.exec(text?.trim() ?? "")?.[1];
  return number === undefined ? null : Number(number);
}

/** The first compiler that no longer makes programs for a release (JEP 182; release notes of 9, 12 and 20). */
const DROPPED: Readonly<Record<number, number>> = { 1: 9, 2: 9, 3: 9, 4: 9, 5: 9, 6: 12, 7: 20 };

/** A JDK to build with and a Java to run with, both at least of this release; of an old one the compiler still knows it. */
export function javaRequirements(release: number | null): readonly Requirement[] {
  const version = release === null ? null : `>=${release}`;
  const dropped = release === null ? undefined : DROPPED[release];
  return [
    toolRequirement("java", "runs the tool", { version, for: "both" }),
    toolRequirement("javac", "compiles Java", {
      version: version === null || dropped === undefined ? version : `${version},<${dropped}`,
    }),
  ];
}

/** The main class of each launcher: one for all, or by launcher; null where the manifest names none. */
export function mainClasses(
  recipe: string,
  options: Options,
  bins: readonly string[],
): Readonly<Record<string, string>> {
  const value = options["main"];
  const given: Readonly<Record<string, string>> =
    typeof value === "string"
      ? Object.fromEntries(bins.map((bin) => [bin, textOption(recipe, options, "main") ?? ""]))
      : mapOption(recipe, options, "main");
  const odd = Object.values(given).find((name) => !CLASS.test(name));
  if (odd === undefined) return given;
  throw new IpmError("MANIFEST_INVALID", `recipe ${recipe}: option main: ${odd} is not the name of a class`, {
    hint: `see docs/recipes/${recipe}.md`,
  });
}

/** A command that starts Java with everything that the tool needs: no class path of the user, no script that guesses. */
export function javaLaunchers(
  bins: readonly string[],
  mains: Readonly<Record<string, string>>,
  jar: string | null,
  jvm: readonly string[],
): Readonly<Record<string, RecipeLauncher>> {
  return Object.fromEntries(
    bins.flatMap((bin): [string, RecipeLauncher][] => {
      const main = mains[bin];
      if (main !== undefined) return [[bin, { run: ["java", ...jvm, "-cp", `{prefix}/${JARS}/*`, main], env: {} }]];
      return jar === null ? [] : [[bin, { run: ["java", ...jvm, "-jar", `${JARS}/${jar}`], env: {} }]];
    }),
  );
}

/** Jars beside the one that runs: sources, documentation, tests, and what a shading plugin began with. */
const NOT_RUNNABLE = "*-sources.jar | *-javadoc.jar | *-tests.jar | *-test-fixtures.jar | *-plain.jar | original-*.jar";
/** What plugins call a jar that holds its dependencies, the surest sign first. */
const COMPLETE = [
  "all-deps",
  "jar-with-dependencies",
  "all",
  "shaded",
  "uber",
  "fat",
  "standalone",
  "exec",
  "executable",
  "cli",
];

/**
 * A step that puts the runnable jar of a build into the prefix under a fixed name, so that the launcher knows it: the one
 * that is named, else by what plugins call such a jar, else the largest one.
 * @param folder where the build leaves its jars
 * @param wanted path of the jar in the checkout, or null
 */
export function copyRunnableJar(folder: string, wanted: string | null, jar: string): DraftRun {
  const target = `"$IPM_PREFIX/${JARS}/"${shellWord(jar)}`;
  if (wanted !== null) {
    const script = `mkdir -p "$IPM_PREFIX/${JARS}"\ncp -- ${shellWord(wanted)} ${target}`;
    return nativeRun("copy the jar", script, {}, "the launcher starts it");
  }
  const script = `
mkdir -p "$IPM_PREFIX/${JARS}"
found=
for kind in ${COMPLETE.map((kind) => `-${kind}`).join(" ")} ""; do
  for jar in $(ls -S ${shellWord(folder)}/*"$kind".jar 2> /dev/null); do
    case \${jar##*/} in ${NOT_RUNNABLE}) continue ;; esac
    found=$jar
    break
  done
  [ -z "$found" ] || break
done
[ -n "$found" ] || { echo "the build left no jar in "${shellWord(folder)} >&2; exit 1; }
echo "the jar is $found"
cp -- "$found" ${target}`.trim();
  return nativeRun("copy the jar", script, {}, "the launcher starts it");
}

/** Options that both Java recipes have. */
export const JAVA_OPTIONS = {
  main: "the class to start, or launcher to class; its libraries are then beside it on the class path",
  jar: "the runnable jar's path in the checkout, where the usual names do not find it",
  jvm: "flags for Java at run time: [--add-exports=…]",
} as const;

/** Flags for Java at run time. @throws IpmError MANIFEST_INVALID */
export function jvmFlags(recipe: string, options: Options): readonly string[] {
  const flags = listOption(recipe, options, "jvm");
  const odd = flags.find((flag) => !flag.startsWith("-"));
  if (odd === undefined) return flags;
  throw new IpmError("MANIFEST_INVALID", `recipe ${recipe}: option jvm: ${odd} is no flag`, {
    hint: `see docs/recipes/${recipe}.md`,
  });
}
