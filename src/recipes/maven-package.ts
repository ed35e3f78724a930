import { integrityOfHex } from "../core/canonical-json.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import { normalizeLicense } from "../manifest/identify-license.ts";
import type { PackageReference } from "../manifest/package-reference.ts";
import { NO_FACTS } from "./candidate.ts";
import { JARS, javaLaunchers, jvmFlags, mainClasses } from "./java.ts";
import { readPom } from "./pom.ts";
import { mavenRun } from "./maven-run.ts";
import { nativeRun, toolRequirement } from "./native-build.ts";
import { invalidLock, unusablePackage } from "./package-failure.ts";
import type { LockFacts, PackageAnswer, PackageInput, PackageQuery, PackageRecipe } from "./package-recipe.ts";
import type { PlannedDownload } from "./planned-step.ts";
import type { RecipeLauncher, RecipeOutput } from "./recipe.ts";
import { shellLine } from "./shell-words.ts";

const ID = "maven";
const LOCK = "jars.lock";
const CENTRAL = "https://repo.maven.apache.org/maven2/";
const CLASS = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/u;
const WORD = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/u;
/** Newest Java that a lock can ask for: what no release of Java will reach soon is a mistake. */
const MAX_JAVA = 99;

/** A jar of a Maven repository. */
interface Jar {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly classifier: string | null;
  /** In hex. */
  readonly sha256: string;
}

interface JarLock {
  /** The class that the main jar names as its own, or null. */
  readonly main: string | null;
  /** Oldest Java that reads that class, or null. */
  readonly java: number | null;
  /** The main jar first, then its libraries in the order of Maven's class path. */
  readonly jars: readonly Jar[];
}

/**
 * Read a lock: lines of `main CLASS`, `java RELEASE` and `SHA256 GROUP:ARTIFACT:VERSION[:CLASSIFIER]`.
 * @returns the line that is none of these where there is one
 */
function readJars(text: string): JarLock | string {
  let main: string | null = null;
  let java: number | null = null;
  const jars: Jar[] = [];
  for (const line of text.split("\n")) {
    const [word = "", value = "", ...more] = line.split(" ");
    if (line === "") continue;
    const [group = "", artifact = "", version = "", classifier = null, ...rest] = value.split(":");
    const parts = [group, artifact, version, ...(classifier === null ? [] : [classifier])];
    if (more.length > 0 || rest.length > 0) return line;
    if (word === "main" && main === null && CLASS.test(value)) main = value;
    else if (word === "java" && java === null && /^\d{1,2}$/u.test(value) && Number(value) < MAX_JAVA)
      java = Number(value);
    else if (/^[0-9a-f]{64}$/u.test(word) && parts.every((part) => WORD.test(part) && !part.includes("..")))
      jars.push({ group, artifact, version, classifier, sha256: word });
    else return line;
  }
  return { main, java, jars };
}

function coordinates({ group, artifact, version, classifier }: Jar): string {
  return [group, artifact, version, ...(classifier === null ? [] : [classifier])].join(":");
}

function formatJars({ main, java, jars }: JarLock): string {
  return [
    ...(main === null ? [] : [`main ${main}`]),
    ...(java === null ? [] : [`java ${java}`]),
    ...jars.map((jar) => `${jar.sha256} ${coordinates(jar)}`),
    "",
  ].join("\n");
}

/** The name of a jar's file: its own, or with the group before it where two groups have one of the name. */
function fileNames(jars: readonly Jar[]): Map<Jar, string> {
  const plain = (jar: Jar): string =>
    `${jar.artifact}-${jar.version}${jar.classifier === null ? "" : `-${jar.classifier}`}.jar`;
  const count = (name: string): number => jars.filter((jar) => plain(jar) === name).length;
  return new Map(jars.map((jar) => [jar, count(plain(jar)) > 1 ? `${jar.group}.${plain(jar)}` : plain(jar)]));
}

/** Where a jar is below the root of any Maven repository (https://maven.apache.org/repositories/layout.html). */
function repositoryPath({ group, artifact, version, classifier }: Jar): string {
  const suffix = classifier === null ? "" : `-${classifier}`;
  return `${group.replaceAll(".", "/")}/${artifact}/${version}/${artifact}-${version}${suffix}.jar`;
}

/** Check a lock: every jar of the class path with its sha256, the main one first and at this version. */
function readLock(lock: Readonly<Record<string, string>>, reference: PackageReference, version: string): LockFacts {
  const refuse = (why: string): never => {
    throw invalidLock(reference, version, why);
  };
  const read = readJars(lock[LOCK] ?? "");
  if (typeof read === "string") return refuse(`${LOCK} holds the line ${escapeUntrusted(read)}`);
  const [main] = read.jars;
  if (main === undefined) return refuse(`${LOCK} names no jar`);
  const [group, artifact, classifier = null] = reference.name.split(":");
  const isMain =
    main.group === group && main.artifact === artifact && main.classifier === classifier && main.version === version;
  if (!isMain) refuse(`it pins ${escapeUntrusted(coordinates(main))}`);
  const names = read.jars.map(coordinates);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse(`it names ${escapeUntrusted(twice)} twice`);
  return { integrity: integrityOfHex("sha256", main.sha256), packages: read.jars.length };
}

function launchersOf(
  input: PackageInput,
  { main, jars }: JarLock,
  files: readonly string[],
): Readonly<Record<string, RecipeLauncher>> {
  const { options, bins } = input;
  const given = mainClasses(ID, options, bins);
  const jvm = jvmFlags(ID, options);
  const [first = ""] = files;
  // A jar that holds everything is started as its makers do: its own manifest may say more than the class.
  if (jars.length === 1 && Object.keys(given).length === 0) return javaLaunchers(bins, {}, first, jvm);
  const path = files.map((file) => `{prefix}/${JARS}/${file}`).join(":");
  return Object.fromEntries(
    bins.flatMap((bin): [string, RecipeLauncher][] => {
      const start = given[bin] ?? main;
      return start === null ? [] : [[bin, { run: ["java", ...jvm, "-cp", path, start], env: {} }]];
    }),
  );
}

function expand(input: PackageInput): RecipeOutput {
  const read = readJars(input.lock[LOCK] ?? "");
  if (typeof read === "string") throw invalidLock(input.package, input.version, `${LOCK} cannot be read`);
  const names = fileNames(read.jars);
  const downloads = read.jars.map((jar): PlannedDownload => ({
    file: names.get(jar) ?? "",
    url: CENTRAL + repositoryPath(jar),
    sha256: jar.sha256,
    bytes: null,
    ecosystem: "maven",
  }));
  const files = downloads.map(({ file }) => file);
  const launchers = launchersOf(input, read, files);
  const lost = input.bins.filter((bin) => launchers[bin] === undefined);
  const script = [
    `mkdir -p "$IPM_PREFIX/${JARS}"`,
    'cd "$TMPDIR/ipm-downloads"',
    `cp -- ${shellLine(files)} "$IPM_PREFIX/${JARS}/"`,
  ].join("\n");
  return {
    steps: [
      nativeRun(
        files.length === 1 ? `copy ${files[0] ?? ""}` : `copy ${files.length} jars`,
        script,
        {},
        "pinned by their sha256",
      ),
    ],
    requires: [
      toolRequirement("java", "runs the tool", {
        version: read.java === null ? null : `>=${read.java}`,
        for: "both",
      }),
    ],
    bins: {},
    launchers,
    downloads,
    notices: [
      "built by upstream: its jars come from Maven Central",
      ...(lost.length === 0 ? [] : [`no class is known to start ${lost.join(", ")}: with: { main: CLASS }`]),
    ],
  };
}

const ANSWERS = { jars: "jars.txt", pom: "pom.txt", main: "main.txt" } as const;
const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/**
 * Maven resolves a project that needs nothing but the jar. Its list of versions says which one is the newest that is no
 * pre-release. Names come from the environment: nothing of a registry or a manifest is ever part of a script.
 */
function askScript(): string {
  const resolve = mavenRun(
    "",
    ["--quiet", `${PLUGIN}:build-classpath`, "-Dmdep.includeScope=runtime", "-Dmdep.outputFile=path.txt"],
    null,
  ).run;
  return `
group=\${IPM_PACKAGE%%:*}; rest=\${IPM_PACKAGE#*:}; artifact=\${rest%%:*}
classifier=; case $rest in *:*) classifier=\${rest#*:} ;; esac
folder="$HOME/.m2/repository/$(printf %s "$group" | tr . /)/$artifact"
resolve() {
  cat > pom.xml << END
<project><modelVersion>4.0.0</modelVersion><groupId>ipm.invalid</groupId><artifactId>package</artifactId><version>0</version><packaging>pom</packaging>
<dependencies><dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$1</version><classifier>$classifier</classifier></dependency></dependencies></project>
END
  ${String(resolve)}
}
resolve "$IPM_WANTED"
if [ "$IPM_WANTED" = RELEASE ]; then
  newest=$(cat "$folder"/maven-metadata-*.xml | sed -n 's:.*<version>\\(.*\\)</version>.*:\\1:p' | grep -Eiv '(alpha|beta|rc|cr|snapshot|preview|dev|[.-](m|b|ea)[0-9]*)' | sort -V | tail -n 1)
  case $(cat path.txt) in *"/$newest/$artifact-$newest"*) ;; *) resolve "$newest" ;; esac
fi
: > ${ANSWERS.jars}
tr ':' '\\n' < path.txt | while read -r jar || [ -n "$jar" ]; do
  [ -n "$jar" ] || continue
  if command -v sha256sum > /dev/null; then sum=$(sha256sum "$jar"); else sum=$(shasum -a 256 "$jar"); fi
  printf '%s %s\\n' "\${sum%% *}" "\${jar#"$HOME/.m2/repository/"}" >> ${ANSWERS.jars}
done
first=$(tr ':' '\\n' < path.txt | head -n 1)
cp "$(dirname "$first")"/*.pom ${ANSWERS.pom}
unzip -p "$first" META-INF/MANIFEST.MF | tr -d '\\r' | sed -n 's/^Main-Class: *//p' > ${ANSWERS.main} || :
[ -s ${ANSWERS.main} ] || echo >> ${ANSWERS.main}
class=$(head -n 1 ${ANSWERS.main} | tr . /).class
[ "$class" != .class ] || class=$(unzip -Z1 "$first" | grep '\\.class$' | grep -v -e ^META-INF/ -e module-info | head -n 1)
[ -z "$class" ] || unzip -p "$first" "$class" | od -An -tu1 -j6 -N2 >> ${ANSWERS.main}
`.trim();
}

function ask(reference: PackageReference, version: string | null): PackageQuery {
  const run = mavenRun(`ask Maven for ${reference.name}`, [], null);
  return {
    step: { ...run, run: askScript(), env: { IPM_PACKAGE: reference.name, IPM_WANTED: version ?? "RELEASE" } },
    files: {},
    requires: [
      toolRequirement("mvn", "resolves the libraries", { version: ">=3" }),
      toolRequirement("java", "runs Maven"),
      toolRequirement("unzip", "reads the jar"),
    ],
    answers: Object.values(ANSWERS),
  };
}

/** The jar at a path of a Maven repository; undefined for a path that is none. */
function jarAt(path: string, sha256: string): Jar | undefined {
  const [file = "", version = "", artifact = "", ...groups] = path.split("/").toReversed();
  const stem = `${artifact}-${version}`;
  if (!file.startsWith(stem) || !file.endsWith(".jar") || groups.length === 0) return undefined;
  const suffix = file.slice(stem.length, -".jar".length);
  return {
    group: groups.toReversed().join("."),
    artifact,
    version,
    classifier: suffix === "" ? null : suffix.slice(1),
    sha256,
  };
}

function read(answers: Readonly<Record<string, string>>, reference: PackageReference): PackageAnswer {
  const lines = (answers[ANSWERS.jars] ?? "").split("\n").filter((line) => line !== "");
  const jars = lines.map((line) => jarAt(line.slice(65), line.slice(0, 64)));
  const [main] = jars;
  if (main === undefined || !jars.every((jar) => jar !== undefined))
    throw unusablePackage(reference, "Maven gave no answer that can be read");
  const [mainClass = "", bytes = ""] = (answers[ANSWERS.main] ?? "").split("\n");
  const [, major = 0] = bytes.trim().split(/\s+/u).map(Number);
  // The number of a class file's format is the release of Java and 44 (JVMS 4.1), in two bytes.
  const java = major > 44 ? Math.max(8, major - 44) : null;
  const lock = { [LOCK]: formatJars({ main: CLASS.test(mainClass.trim()) ? mainClass.trim() : null, java, jars }) };
  const { integrity } = readLock(lock, reference, main.version);
  const pom = readPom("pom.xml", answers[ANSWERS.pom] ?? "");
  const bin = main.artifact.toLowerCase().replace(/-(?:cli|app|all|complete)$/u, "");
  return {
    version: main.version,
    prerelease: /alpha|beta|rc|snapshot|preview/iu.test(main.version),
    integrity,
    lock,
    about: {
      ...NO_FACTS,
      name: bin,
      version: main.version,
      summary: pom.description,
      license: pom.license === null ? null : normalizeLicense(pom.license),
      homepage: pom.url,
    },
    bins: [bin],
    notices: mainClass.trim() === "" ? ["its jar names no class to start: with: { main: CLASS }"] : [],
  };
}

/** Jars of Maven Central: each fetched and checked by ipm itself, so that an installation needs no Maven. */
export const mavenPackage: PackageRecipe = {
  options: {
    main: "the class to start, or launcher to class; default: the one that the jar names",
    jvm: "flags for Java at run time: [--add-exports=…]",
  },
  lockFiles: [LOCK],
  readLock,
  expand,
  ask,
  read,
};
