import { describe, expect, test } from "vitest";
import { gradleRecipe } from "../../../src/recipes/gradle.ts";
import { javaRelease } from "../../../src/recipes/java.ts";
import { mavenRecipe } from "../../../src/recipes/maven.ts";
import type { Recipe, RecipeOutput } from "../../../src/recipes/recipe.ts";
import { viewOfFiles } from "../../helpers/recipe-repository.ts";

type Files = Readonly<Record<string, string>>;

function expandWith(
  recipe: Recipe,
  files: Files,
  options: Readonly<Record<string, unknown>> = {},
  bins = ["rc"],
): RecipeOutput {
  return recipe.expand({ ...viewOfFiles(files), options, bins, version: "1" });
}

function commandOf(output: RecipeOutput): string {
  const [first] = output.steps;
  return first?.kind === "run" && typeof first.run === "string" ? first.run : "";
}

test.each([
  ["1.8", 8],
  ["17", 17],
  ["21.0.1", 21],
  ["x", null],
])("Java's own number for %s", (text, release) => {
  expect(javaRelease(text)).toBe(release);
});

describe("maven", () => {
  const pom = (
    inside: string,
  ): string => `<project><!-- <mainClass>no.Such</mainClass> --><parent><artifactId>theirs</artifactId></parent>
<artifactId>rc</artifactId><version>1.0</version>${inside}</project>`;
  const DEPENDENCY = "<dependencies><dependency><artifactId>x</artifactId></dependency></dependencies>";
  const SHADE = "<build><plugins><plugin><artifactId>maven-shade-plugin</artifactId></plugin></plugins></build>";

  test("packages without tests and checks, with a home of its own, and starts the jar", () => {
    const output = expandWith(mavenRecipe, {
      "pom.xml": pom("<properties><maven.compiler.release>${jdk}</maven.compiler.release><jdk>21</jdk></properties>"),
    });
    expect(commandOf(output)).toMatch(
      /^MAVEN_OPTS="\$\{MAVEN_OPTS:-\} -Duser\.home=\$HOME" mvn --batch-mode --no-transfer-progress -DskipTests .* package$/u,
    );
    expect(output.steps[0]).toMatchObject({ network: ["maven"] });
    expect(output.requires.map((one) => ("tool" in one ? `${one.tool} ${one.version} ${one.for}` : ""))).toEqual([
      "java >=21 both",
      "javac >=21 build",
      "mvn >=3 build",
    ]);
    expect(output.launchers).toEqual({ rc: { run: ["java", "-jar", "lib/java/rc.jar"], env: {} } });
  });

  test("a class of the pom and libraries beside it, unless a plugin puts all of it into one jar", () => {
    const main =
      "<build><plugins><plugin><configuration><mainClass>a.Main</mainClass></configuration></plugin></plugins></build>";
    const beside = expandWith(mavenRecipe, { "pom.xml": pom(DEPENDENCY + main) }, { jvm: ["--enable-preview"] });
    expect(beside.launchers).toEqual({
      rc: { run: ["java", "--enable-preview", "-cp", "{prefix}/lib/java/*", "a.Main"], env: {} },
    });
    expect(commandOf(beside)).toContain(
      'dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$IPM_PREFIX"/lib/java'.replace(
        '-DoutputDirectory="$IPM_PREFIX"/lib/java',
        '-DoutputDirectory="$IPM_PREFIX"/lib/java',
      ),
    );
    const shaded = expandWith(mavenRecipe, { "pom.xml": pom(DEPENDENCY + SHADE) });
    expect(shaded.launchers).toEqual({ rc: { run: ["java", "-jar", "lib/java/rc.jar"], env: {} } });
  });

  test("of several modules the one that can run, or the one that is named", () => {
    const files = {
      "pom.xml":
        "<project><artifactId>all</artifactId><packaging>pom</packaging><modules><module>core</module><module>plugin</module></modules></project>",
      "core/pom.xml": pom(SHADE),
      "plugin/pom.xml": pom(""),
    };
    const output = expandWith(mavenRecipe, files);
    expect(commandOf(output)).toContain("--projects core --also-make package");
    expect(output.steps[1]).toMatchObject({ run: expect.stringContaining('core/target/*"$kind".jar') });
    expect(commandOf(expandWith(mavenRecipe, files, { module: ["plugin"] }))).toContain("--projects plugin");
    expect(() => expandWith(mavenRecipe, files, { module: ["nope"] })).toThrow("no module nope");
    const both = { ...files, "plugin/pom.xml": pom(SHADE) };
    expect(() => expandWith(mavenRecipe, both)).toThrow("several modules");
    expect(mavenRecipe.detect({ ...viewOfFiles(both), name: "x" })[0]).toMatchObject({ confidence: "possible" });
    expect(mavenRecipe.detect({ ...viewOfFiles(files), name: "x" })[0]).toMatchObject({
      confidence: "likely",
      bins: { all: null },
    });
  });

  test("options that make no sense are refused", () => {
    expect(() => expandWith(mavenRecipe, { "pom.xml": pom("") }, { main: "a; rm -rf" })).toThrow(
      "not the name of a class",
    );
    expect(() => expandWith(mavenRecipe, { "pom.xml": pom("") }, { jvm: ["x"] })).toThrow("no flag");
    expect(() => expandWith(mavenRecipe, { README: "" })).toThrow("no pom.xml");
  });
});

describe("gradle", () => {
  const APPLICATION =
    'plugins { id("application") }\n// mainClass = "no.Such"\napplication { mainClass.set("a.Main") }\njava { toolchain { languageVersion = JavaLanguageVersion.of(17) } }\n';

  test("an application: its jars on the class path, without the script that looks for Java on PATH", () => {
    const output = expandWith(gradleRecipe, { "build.gradle.kts": APPLICATION });
    expect(commandOf(output)).toContain(
      "gradle --no-daemon --console=plain -Dorg.gradle.java.installations.auto-download=false --exclude-task test :installDist",
    );
    expect(output.launchers).toEqual({ rc: { run: ["java", "-cp", "{prefix}/lib/java/*", "a.Main"], env: {} } });
    expect(output.requires.map((one) => ("tool" in one ? `${one.tool} ${one.version}` : ""))).toEqual([
      "java >=17",
      "javac >=17",
      "gradle null",
    ]);
  });

  test("the wrapper: with the hosts that it reaches, and a word about a missing checksum", () => {
    const files = {
      "settings.gradle": "include 'app'\n",
      "app/build.gradle": "apply plugin: 'application'\nmainClassName = 'a.Main'\nsourceCompatibility = '1.8'\n",
      gradlew: "#!/bin/sh\n",
      "gradle/wrapper/gradle-wrapper.properties": "distributionUrl=x\n",
    };
    const output = expandWith(gradleRecipe, files);
    expect(commandOf(output)).toContain("sh ./gradlew ");
    expect(commandOf(output)).toContain(" :app:installDist");
    expect(output.steps[0]).toMatchObject({ network: expect.arrayContaining(["maven", "services.gradle.org"]) });
    expect(output.notices).toContain("the Gradle that its wrapper fetches has no checksum");
    expect(output.requires[0]).toMatchObject({ tool: "java", version: ">=8" });
    expect(commandOf(expandWith(gradleRecipe, files, { wrapper: "false" }))).toContain(" gradle ");
  });

  test("jars that hold everything are started as they are; a class that is not written is asked for", () => {
    const boot = expandWith(gradleRecipe, {
      "build.gradle": "plugins { id 'org.springframework.boot' version '3' }\n",
    });
    expect(commandOf(boot)).toContain(":bootJar");
    expect(boot.launchers).toEqual({ rc: { run: ["java", "-jar", "lib/java/tool.jar"], env: {} } });
    const aside = viewOfFiles({ "pom.xml": "", "idea_plugin/build.gradle.kts": APPLICATION });
    expect(gradleRecipe.detect({ ...aside, name: "x" })).toEqual([]);
    expect(() => expandWith(gradleRecipe, { "build.gradle": "plugins { id 'application' }\n" })).toThrow(
      "which class rc starts",
    );
    expect(
      gradleRecipe.detect({
        ...viewOfFiles({ "build.gradle.kts": APPLICATION, "settings.gradle.kts": 'rootProject.name = "Tool"\n' }),
        name: "x",
      })[0],
    ).toMatchObject({
      confidence: "likely",
      bins: { tool: null },
      evidence: ["build.gradle.kts:1 distribution"],
    });
  });
});

test("a compiler that still knows an old release, and an assembly that is only configured", () => {
  const main =
    "<configuration><archive><manifest><mainClass>a.Main</mainClass></manifest></archive><descriptorRefs><descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs></configuration>";
  const pom = (execution: string): string =>
    `<project><artifactId>rc</artifactId><properties><maven.compiler.target>1.6</maven.compiler.target></properties><dependencies><dependency><artifactId>x</artifactId></dependency></dependencies><build><plugins><plugin><artifactId>maven-assembly-plugin</artifactId>${main}${execution}</plugin></plugins></build></project>`;
  const output = expandWith(mavenRecipe, { "pom.xml": pom("") });
  expect(output.requires[1]).toMatchObject({ tool: "javac", version: ">=6,<12" });
  expect(output.launchers?.["rc"]?.run).toEqual(["java", "-cp", "{prefix}/lib/java/*", "a.Main"]);
  const bound = expandWith(mavenRecipe, { "pom.xml": pom("<executions><execution></execution></executions>") });
  expect(bound.launchers?.["rc"]?.run).toEqual(["java", "-jar", "lib/java/rc.jar"]);
});

test("what nobody can start is a library", () => {
  const maven = viewOfFiles({ "pom.xml": "<project><artifactId>rc</artifactId></project>" });
  expect(mavenRecipe.detect({ ...maven, name: "rc" })[0]?.bins).toEqual({});
  const gradle = viewOfFiles({ "build.gradle": "plugins { id 'java' }\n" });
  expect(gradleRecipe.detect({ ...gradle, name: "rc" })[0]?.bins).toEqual({});
});
