import { IpmError } from "../core/errors.ts";
import { type Candidate, type DetectInput, NO_FACTS } from "./candidate.ts";
import {
  JARS,
  JAVA_OPTIONS,
  copyRunnableJar,
  javaLaunchers,
  javaRelease,
  javaRequirements,
  jvmFlags,
  mainClasses,
  springServer,
} from "./java.ts";
import { firstFile, folderOf, hasFile, lineOfMatch, nameOf } from "./listing.ts";
import type { SourceFile } from "./listing.ts";
import { nativeRun, toolRequirement } from "./native-build.ts";
import { flagOption, listOption, pathsOption } from "./options.ts";
import type { DraftRun, DraftStep, Recipe, RecipeInput, RecipeOutput } from "./recipe.ts";
import { shellLine, shellWord } from "./shell-words.ts";

const ID = "gradle";
const SETTINGS = ["settings.gradle.kts", "settings.gradle"];
const WRAPPER = "gradle/wrapper/gradle-wrapper.properties";
const MAX_READ = 30;
/** Where Gradle's plugins are, and where its wrapper brings Gradle itself from. */
const PLUGIN_HOSTS = ["plugins.gradle.org", "plugins-artifacts.gradle.org"];
const WRAPPER_HOSTS = [
  "services.gradle.org",
  "github.com",
  "release-assets.githubusercontent.com",
  "objects.githubusercontent.com",
];

function gradleFiles(files: readonly SourceFile[]): readonly string[] {
  const isBuild = ({ path }: SourceFile): boolean =>
    /^(?:[^/]+\/)?build\.gradle(?:\.kts)?$/u.test(path) && !path.startsWith("buildSrc/");
  const builds = files.filter(isBuild).map(({ path }) => path);
  // Without either in the root it is a part of something else: an editor's plugin beside a Maven project.
  const isRoot = [...SETTINGS, "build.gradle", "build.gradle.kts"].some((path) => hasFile(files, path));
  if (builds.length === 0 || !isRoot) return [];
  const others = [...SETTINGS, WRAPPER].filter((path) => hasFile(files, path));
  return [...builds.slice(0, MAX_READ), ...others];
}

type Packaging = "distribution" | "shadow" | "boot" | "jar";

interface GradleProject {
  readonly path: string;
  readonly packaging: Packaging;
  readonly mainClass: string | null;
  readonly release: number | null;
  readonly version: string | null;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//gu, "").replaceAll(/(^|\s)\/\/[^\n]*/gu, "$1");
}

function readBuild(path: string, raw: string): GradleProject {
  const text = withoutComments(raw);
  const plugs = (name: string): boolean =>
    new RegExp(String.raw`(?:\bid\s*\(?\s*["']${name}["']|\bapply\s+plugin:\s*["']${name}["'])`, "u").test(text);
  const isApplication = plugs("application") || /^\s*`?application`?\s*$/mu.test(text);
  const packaging: Packaging =
    plugs(String.raw`com\.github\.johnrengelman\.shadow`) || plugs(String.raw`com\.gradleup\.shadow`)
      ? "shadow"
      : plugs(String.raw`org\.springframework\.boot`)
        ? "boot"
        : isApplication
          ? "distribution"
          : "jar";
  const main = /\bmainClass(?:Name)?\s*(?:=|\.set\s*\()\s*["']([\w.$]+)["']/u.exec(text)?.[1] ?? null;
  const release =
    /JavaLanguageVersion\.of\s*\(\s*([0-9]+)/u.exec(text)?.[1] ??
    /\boptions\.release(?:\.set\s*\(|\s*=)\s*([0-9]+)/u.exec(text)?.[1] ??
    /\b(?:source|target)Compatibility\s*=\s*["']?([0-9.]+)/u.exec(text)?.[1] ??
    /\bJavaVersion\.VERSION_(?:1_)?([0-9]+)/u.exec(text)?.[1];
  const version = /^\s*version\s*=?\s*["']([0-9][\w.+-]*)["']/mu.exec(text)?.[1] ?? null;
  return { path, packaging, mainClass: main, release: javaRelease(release), version };
}

function readProjects(input: Pick<RecipeInput, "files" | "texts">): readonly GradleProject[] {
  return gradleFiles(input.files)
    .filter((path) => nameOf(path).startsWith("build.gradle"))
    .flatMap((path) => {
      const text = input.texts[path];
      return text === undefined ? [] : [readBuild(path, text)];
    });
}

function isRunnable({ packaging, mainClass }: GradleProject): boolean {
  return packaging !== "jar" || mainClass !== null;
}

function chooseProject(projects: readonly GradleProject[], wanted: string | undefined): GradleProject {
  if (wanted !== undefined) {
    const found = projects.find(({ path }) => folderOf(path) === (wanted === "." ? "" : wanted));
    if (found !== undefined) return found;
    throw new IpmError("MANIFEST_INVALID", `recipe gradle: the repository has no project ${wanted}`, {
      hint: `one of: ${projects.map(({ path }) => folderOf(path) || ".").join(", ")}`,
    });
  }
  const runnable = projects.filter(isRunnable);
  const [only] = runnable.length === 0 ? projects : runnable;
  if (only !== undefined && (runnable.length === 1 || projects.length === 1)) return only;
  throw new IpmError(
    "MANIFEST_INVALID",
    "recipe gradle: the repository has several projects, and which one is the tool is not written",
    {
      hint: "name it: with: { project: [NAME] }",
    },
  );
}

const TASKS: Readonly<Record<Packaging, string>> = {
  distribution: "installDist",
  shadow: "shadowJar",
  boot: "bootJar",
  jar: "jar",
};

function expand(input: RecipeInput): RecipeOutput {
  const projects = readProjects(input);
  if (projects.length === 0) {
    throw new IpmError("MANIFEST_INVALID", "recipe gradle: the repository has no build.gradle here", {
      hint: "set source.path or the step's dir, or use plain steps",
    });
  }
  const { options } = input;
  const [wanted] = pathsOption(ID, options, "project");
  const project = chooseProject(projects, wanted);
  const folder = folderOf(project.path);
  const given = mainClasses(ID, options, input.bins);
  const isDistribution = project.packaging === "distribution";
  const implied =
    isDistribution && project.mainClass !== null
      ? Object.fromEntries(input.bins.map((bin) => [bin, project.mainClass ?? ""]))
      : {};
  const mains = { ...implied, ...given };
  const unknown = input.bins.find((bin) => isDistribution && mains[bin] === undefined);
  if (unknown !== undefined) {
    throw new IpmError(
      "MANIFEST_INVALID",
      `recipe gradle: which class ${unknown} starts is not written in ${project.path}`,
      {
        hint: "name it: with: { main: com.example.Main }",
      },
    );
  }
  const usesWrapper = hasFile(input.files, "gradlew") && flagOption(ID, options, "wrapper") !== false;
  const wrapper = input.texts[WRAPPER] ?? "";
  const tasks = listOption(ID, options, "tasks");
  const names =
    tasks.length > 0
      ? tasks
      : [`${folder === "" ? "" : `:${folder.replaceAll("/", ":")}`}:${TASKS[project.packaging]}`];
  const line = [
    'GRADLE_USER_HOME="$HOME/.gradle" GRADLE_OPTS="${GRADLE_OPTS:-} -Duser.home=$HOME"',
    usesWrapper ? "sh ./gradlew" : "gradle",
    // A JDK that Gradle fetches by itself is one that nobody pinned; a daemon would outlive the step.
    shellLine([
      "--no-daemon",
      "--console=plain",
      "-Dorg.gradle.java.installations.auto-download=false",
      "--exclude-task",
      "test",
      ...names,
    ]),
  ].join(" ");
  const build: DraftRun = {
    ...nativeRun(
      `gradle ${names.join(" ")}`,
      line,
      {},
      usesWrapper ? "with the Gradle that the repository names" : null,
    ),
    network: ["maven", ...PLUGIN_HOSTS, ...(usesWrapper ? WRAPPER_HOSTS : [])],
  };
  const output = folder === "" ? "build" : `${folder}/build`;
  const [named] = pathsOption(ID, options, "jar");
  const jar = "tool.jar";
  const steps: DraftStep[] = [build];
  if (isDistribution) {
    const script = `mkdir -p "$IPM_PREFIX/${JARS}"\ncp -- ${shellWord(output)}/install/*/lib/*.jar "$IPM_PREFIX/${JARS}"`;
    steps.push(nativeRun("copy the jars", script, {}, "the launcher starts them"));
  } else steps.push(copyRunnableJar(`${output}/libs`, named ?? null, jar));
  const notices = ["Gradle's dependencies are those that its build files name"];
  if (usesWrapper && !/^distributionSha256Sum=/mu.test(wrapper))
    notices.push("the Gradle that its wrapper fetches has no checksum");
  return {
    steps,
    requires: [...javaRequirements(project.release), ...(usesWrapper ? [] : [toolRequirement("gradle", "builds it")])],
    bins: {},
    launchers: javaLaunchers(input.bins, mains, isDistribution ? null : jar, jvmFlags(ID, options)),
    notices,
  };
}

function detect(input: DetectInput): readonly Candidate[] {
  const projects = readProjects(input);
  const [first] = projects;
  if (first === undefined) return [];
  const runnable = projects.filter(isRunnable);
  const chosen = runnable.length === 1 ? runnable[0] : undefined;
  const settings = firstFile(input.files, SETTINGS);
  const named =
    /\brootProject\.name\s*=\s*["']([^"']+)["']/u.exec(input.texts[settings ?? ""] ?? "")?.[1] ?? input.name;
  const bin = named.toLowerCase();
  const doubts: string[] = [];
  if (runnable.length === 0) doubts.push("no project names a main class: perhaps a library");
  if (runnable.length > 1)
    doubts.push(`several projects can run: ${runnable.map(({ path }) => folderOf(path) || ".").join(", ")}`);
  if (hasFile(input.files, "pom.xml")) doubts.push("it builds with Maven too");
  const evidence = chosen ?? first;
  const server = springServer(evidence.path, input.texts[evidence.path] ?? "");
  const line = lineOfMatch(input.texts[evidence.path] ?? "", /\bmainClass|\bapplication\b|\bplugins\b/u);
  return [
    {
      ...(server === undefined || evidence.packaging !== "boot" ? {} : { server }),
      recipe: ID,
      dir: null,
      confidence: chosen === undefined ? "possible" : "likely",
      evidence: [line > 0 ? `${evidence.path}:${line} ${evidence.packaging}` : evidence.path],
      // What nobody can start is a library.
      bins: runnable.length > 0 && /^[a-z0-9][a-z0-9._-]*$/u.test(bin) ? { [bin]: null } : {},
      requires: [
        ...javaRequirements(evidence.release),
        ...(hasFile(input.files, "gradlew") ? [] : [toolRequirement("gradle", "builds it")]),
      ],
      options: {},
      about: { ...NO_FACTS, name: named === "" ? null : named, version: evidence.version },
      doubts,
    },
  ];
}

/** A Gradle project from the checkout: built, its jars in the prefix, and a launcher that starts them. */
export const gradleRecipe: Recipe = {
  id: ID,
  summary: "Build with Gradle, put the jars into the prefix and start them with the Java that the plan found.",
  options: {
    project: "the project of the tool, in a repository with several: [app]",
    tasks: "the tasks to run instead of the one that fits its plugins",
    wrapper: "false: the host's gradle although the repository has a wrapper",
    ...JAVA_OPTIONS,
  },
  reads: ({ files }) => gradleFiles(files),
  expand,
  detectReads: (files) => gradleFiles(files),
  detect,
};
