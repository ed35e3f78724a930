import { IpmError } from "../core/errors.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import {
  JARS,
  JAVA_OPTIONS,
  copyRunnableJar,
  javaLaunchers,
  javaRequirements,
  jvmFlags,
  mainClasses,
  springServer,
} from "./java.ts";
import { folderOf, hasFile, lineOfMatch } from "./listing.ts";
import type { SourceFile } from "./listing.ts";
import { toolRequirement } from "./native-build.ts";
import { mavenPackage } from "./maven-package.ts";
import { mavenRun } from "./maven-run.ts";
import { listOption, pathsOption, wordsOption } from "./options.ts";
import { type Pom, readPom } from "./pom.ts";
import { type DraftStep, type Recipe, type RecipeInput, type RecipeOutput } from "./recipe.ts";

const ID = "maven";
const MAIN = "pom.xml";
const MAX_READ = 30;

function pomFiles(files: readonly SourceFile[]): readonly string[] {
  if (!hasFile(files, MAIN)) return [];
  const modules = files.map(({ path }) => path).filter((path) => /^[^/]+\/pom\.xml$/u.test(path));
  return [MAIN, ...modules.slice(0, MAX_READ)];
}

interface MavenProject {
  readonly root: Pom;
  readonly poms: readonly Pom[];
}

function readProject(input: Pick<RecipeInput, "files" | "texts">): MavenProject | undefined {
  const poms = pomFiles(input.files).flatMap((path) => {
    const text = input.texts[path];
    return text === undefined ? [] : [readPom(path, text)];
  });
  const [root] = poms;
  return root?.path === MAIN ? { root, poms } : undefined;
}

/** The pom whose jar is the tool's: the root's, or the one module that says how it is started. */
function chooseModule(project: MavenProject, wanted: string | undefined): Pom {
  const { root, poms } = project;
  const modules = poms.filter((pom) => pom !== root && root.modules.includes(folderOf(pom.path)));
  if (wanted !== undefined) {
    const found = modules.find((pom) => folderOf(pom.path) === wanted);
    if (found !== undefined) return found;
    throw new IpmError("MANIFEST_INVALID", `recipe maven: the repository has no module ${wanted}`, {
      hint: `one of: ${modules.map((pom) => folderOf(pom.path)).join(", ")}`,
    });
  }
  if (root.packaging !== "pom") return root;
  const runnable = modules.filter(({ makesCompleteJar, mainClass }) => makesCompleteJar || mainClass !== null);
  const [only] = runnable.length === 0 ? modules : runnable;
  if (only !== undefined && (runnable.length === 1 || modules.length === 1)) return only;
  throw new IpmError(
    "MANIFEST_INVALID",
    "recipe maven: the repository has several modules, and which one is the tool is not written",
    {
      hint: "name it: with: { module: [NAME] }",
    },
  );
}

function expand(input: RecipeInput): RecipeOutput {
  const project = readProject(input);
  if (project === undefined) {
    throw new IpmError("MANIFEST_INVALID", "recipe maven: the repository has no pom.xml here", {
      hint: "set source.path or the step's dir, or use plain steps",
    });
  }
  const { options } = input;
  const [module] = pathsOption(ID, options, "module");
  const pom = chooseModule(project, module);
  const folder = folderOf(pom.path);
  const jar = `${pom.artifact?.replaceAll(/[^A-Za-z0-9._-]/gu, "") || "tool"}.jar`;
  const given = mainClasses(ID, options, input.bins);
  // Without a jar that holds everything: the class that the pom names, with its libraries beside it.
  const implied =
    pom.makesCompleteJar || pom.mainClass === null || !pom.hasDependencies
      ? {}
      : Object.fromEntries(input.bins.map((bin) => [bin, pom.mainClass ?? ""]));
  const mains = { ...implied, ...given };
  const only = folder === "" ? [] : ["--projects", folder, "--also-make"];
  const profiles = wordsOption(ID, options, "profiles");
  const [named] = pathsOption(ID, options, "jar");
  const common = [
    ...only,
    ...(profiles.length === 0 ? [] : [`--activate-profiles=${profiles.join(",")}`]),
    ...listOption(ID, options, "define").map((one) => `-D${one}`),
  ];
  const skips = [
    "-DskipTests",
    "-Dmaven.javadoc.skip=true",
    "-Dmaven.source.skip=true",
    "-Dcheckstyle.skip=true",
    "-Dspotless.check.skip=true",
  ];
  // The first time that a zip file can hold: the jar is the same whenever it is built.
  const fixed = "-Dproject.build.outputTimestamp=1980-01-01T00:00:02Z";
  const target = folder === "" ? "target" : `${folder}/target`;
  const usesClassPath = Object.keys(mains).length > 0 && !pom.makesCompleteJar;
  const copyLibraries = [
    "dependency:copy-dependencies",
    "-DincludeScope=runtime",
    `-DoutputDirectory={prefix}/${JARS}`,
  ];
  const goals = ["package", ...(usesClassPath && pom.hasDependencies ? copyLibraries : [])];
  const steps: DraftStep[] = [
    mavenRun(
      "mvn package",
      [...skips, fixed, ...common, ...goals],
      "its own tests and checks are its developers' business",
    ),
    copyRunnableJar(target, named ?? null, jar),
  ];
  return {
    steps,
    requires: [
      ...javaRequirements(pom.release ?? project.root.release),
      toolRequirement("mvn", "builds it", { version: ">=3" }),
    ],
    bins: {},
    launchers: javaLaunchers(input.bins, mains, jar, jvmFlags(ID, options)),
    notices: ["Maven has no lockfile: versions are those that its pom.xml names"],
  };
}

function detect(input: DetectInput): readonly Candidate[] {
  const project = readProject(input);
  if (project === undefined) return [];
  const { root, poms } = project;
  const runnable = poms.filter(({ makesCompleteJar, mainClass }) => makesCompleteJar || mainClass !== null);
  const chosen = runnable.length === 1 ? runnable[0] : undefined;
  const folder = chosen === undefined ? "" : folderOf(chosen.path);
  const name =
    (chosen?.path === MAIN || chosen === undefined
      ? root.artifact
      : (root.artifact?.replace(/-parent$/u, "") ?? null)) ?? input.name;
  const bin = name.toLowerCase();
  const doubts: string[] = [];
  if (runnable.length === 0) doubts.push("no pom names a main class or makes a complete jar: perhaps a library");
  if (runnable.length > 1)
    doubts.push(`several modules can run: ${runnable.map(({ path }) => folderOf(path) || ".").join(", ")}`);
  if (/SNAPSHOT/u.test(root.version ?? "")) doubts.push("its version is a snapshot");
  const line = lineOfMatch(input.texts[MAIN] ?? "", /<artifactId>/u);
  const served = chosen ?? root;
  const server = springServer(served.path, input.texts[served.path] ?? "");
  return [
    {
      ...(server === undefined ? {} : { server }),
      recipe: ID,
      dir: null,
      confidence: chosen === undefined ? "possible" : "likely",
      evidence: [
        `${MAIN}:${line} ${root.artifact ?? ""}`.trim(),
        ...(chosen === undefined ? [] : [`${chosen.path} ${chosen.mainClass ?? "makes a complete jar"}`]),
      ],
      // What nobody can start is a library.
      bins: runnable.length > 0 && /^[a-z0-9][a-z0-9._-]*$/u.test(bin) ? { [bin]: null } : {},
      requires: [
        ...javaRequirements(chosen?.release ?? root.release),
        toolRequirement("mvn", "builds it", { version: ">=3" }),
      ],
      options: folder === "" || root.packaging === "pom" ? {} : { module: [folder] },
      about: {
        ...NO_FACTS,
        name: root.artifact,
        version: root.version?.includes("$") === true ? null : root.version,
        summary: root.description,
        license: root.license,
        homepage: root.url,
      },
      doubts,
    },
  ];
}

/** A Maven project from the checkout: packaged, the runnable jar in the prefix, and a launcher that starts it. */
export const mavenRecipe: Recipe = {
  id: ID,
  summary: "Package with Maven, put the runnable jar into the prefix and start it with the Java that the plan found.",
  options: {
    module: "the module of the tool, in a repository with several: [core]",
    profiles: "profiles to activate",
    define: "properties: [native.skip=true]",
    ...JAVA_OPTIONS,
  },
  reads: ({ files }) => pomFiles(files),
  expand,
  detectReads: (files) => pomFiles(files),
  detect,
  package: mavenPackage,
};
