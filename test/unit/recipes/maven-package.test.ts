import { describe, expect, test } from "vitest";
import type { PackageReference } from "../../../src/manifest/package-reference.ts";
import { mavenPackage } from "../../../src/recipes/maven-package.ts";

const REFERENCE: PackageReference = { ecosystem: "maven", name: "org.example:ripcat" };
const [MAIN = "", COLOUR = "", OTHER = ""] = ["0a", "0b", "0c"].map((byte) => byte.repeat(32));
const INTEGRITY = `sha256-${Buffer.from(MAIN, "hex").toString("base64")}`;
const TEXT = `main org.example.Main
java 17
${MAIN} org.example:ripcat:2.1.0
${COLOUR} org.example.colour:colour:0.2.0
${OTHER} org.other:colour:0.2.0:native
`;
const LOCK = { "jars.lock": TEXT };

function expand(text: string, options: Readonly<Record<string, unknown>> = {}, bins = ["rc"]) {
  return mavenPackage.expand({ options, bins, version: "2.1.0", package: REFERENCE, lock: { "jars.lock": text } });
}

describe("the lock of jars", () => {
  test("pins the main jar by its sha256, and every library", () => {
    expect(mavenPackage.readLock(LOCK, REFERENCE, "2.1.0")).toEqual({ integrity: INTEGRITY, packages: 3 });
  });

  test("the classifier of the reference is the main jar's", () => {
    const complete = { "jars.lock": `${MAIN} org.example:ripcat:2.1.0:all\n` };
    expect(mavenPackage.readLock(complete, { ...REFERENCE, name: "org.example:ripcat:all" }, "2.1.0").packages).toBe(1);
    expect(() => mavenPackage.readLock(complete, REFERENCE, "2.1.0")).toThrow("it pins org.example:ripcat:2.1.0:all");
  });

  test.each([
    ["another version", TEXT.replace("2.1.0", "2.2.0"), "it pins org.example:ripcat:2.2.0"],
    ["another main jar", TEXT.replace("org.example:ripcat", "org.other:ripcat"), "it pins org.other:ripcat"],
    ["a jar without a hash", TEXT.replace(COLOUR, ""), "holds the line"],
    ["a short hash", TEXT.replace(COLOUR, COLOUR.slice(1)), "holds the line"],
    ["an address", `${TEXT}${OTHER} https://example.org/x.jar\n`, "holds the line"],
    ["a version that leaves the repository", TEXT.replace("0.2.0:native", "..:native"), "holds the line"],
    ["a class that is a flag", TEXT.replace("org.example.Main", "-Dx=y"), "holds the line"],
    ["one jar twice", `${TEXT}${OTHER} org.example.colour:colour:0.2.0\n`, "twice"],
    ["nothing", "", "names no jar"],
  ])("%s is refused", (_, text, why) => {
    expect(() => mavenPackage.readLock({ "jars.lock": text }, REFERENCE, "2.1.0")).toThrow(
      expect.objectContaining({ code: "LOCK_INVALID", message: expect.stringContaining(why) }),
    );
  });
});

describe("the installation of jars", () => {
  test("ipm fetches each one; the class path has the order of the lock", () => {
    const { downloads, launchers, requires, steps } = expand(TEXT);
    expect(downloads?.map(({ file, url, sha256, ecosystem }) => [file, url, sha256, ecosystem])).toEqual([
      [
        "ripcat-2.1.0.jar",
        "https://repo.maven.apache.org/maven2/org/example/ripcat/2.1.0/ripcat-2.1.0.jar",
        MAIN,
        "maven",
      ],
      [
        "colour-0.2.0.jar",
        "https://repo.maven.apache.org/maven2/org/example/colour/colour/0.2.0/colour-0.2.0.jar",
        COLOUR,
        "maven",
      ],
      [
        "colour-0.2.0-native.jar",
        "https://repo.maven.apache.org/maven2/org/other/colour/0.2.0/colour-0.2.0-native.jar",
        OTHER,
        "maven",
      ],
    ]);
    const path = ["ripcat-2.1.0", "colour-0.2.0", "colour-0.2.0-native"].map((name) => `{prefix}/lib/java/${name}.jar`);
    expect(launchers).toEqual({ rc: { run: ["java", "-cp", path.join(":"), "org.example.Main"], env: {} } });
    expect(requires).toEqual([expect.objectContaining({ tool: "java", version: ">=17", for: "both" })]);
    expect(steps).toEqual([expect.objectContaining({ kind: "run", network: [] })]);
  });

  test("two jars of one name get their group's before it", () => {
    const { downloads } = expand(TEXT.replace(":native", ""));
    expect(downloads?.map(({ file }) => file)).toEqual([
      "ripcat-2.1.0.jar",
      "org.example.colour.colour-0.2.0.jar",
      "org.other.colour-0.2.0.jar",
    ]);
  });

  test("a jar that holds everything is started as its makers do, with the manifest's flags", () => {
    const { launchers } = expand(`${MAIN} org.example:ripcat:2.1.0\n`, { jvm: ["-Xss4m"] });
    expect(launchers).toEqual({ rc: { run: ["java", "-Xss4m", "-jar", "lib/java/ripcat-2.1.0.jar"], env: {} } });
  });

  test("the manifest names the class where the jar names none, for each launcher", () => {
    const none = TEXT.replace("main org.example.Main\n", "");
    expect(expand(none).notices).toContain("no class is known to start rc: with: { main: CLASS }");
    const { launchers } = expand(none, { main: { rc: "org.example.A", rcd: "org.example.B" } }, ["rc", "rcd"]);
    expect(Object.values(launchers ?? {}).map(({ run }) => run.at(-1))).toEqual(["org.example.A", "org.example.B"]);
  });
});

describe("the answer of Maven", () => {
  const answers = {
    "jars.txt": `${MAIN} org/example/ripcat/2.1.0/ripcat-2.1.0.jar\n${OTHER} org/other/colour/0.2.0/colour-0.2.0-native.jar\n`,
    "pom.txt":
      "<project><artifactId>ripcat</artifactId><description>Cats archives</description><url>https://example.org/ripcat</url><licenses><license><name>MIT</name></license></licenses></project>",
    // The format of a class file: minor, major.
    "main.txt": "org.example.Main\n  0  61\n",
  };

  test("becomes a version with its lock, and the Java that its classes are made for", () => {
    expect(mavenPackage.read(answers, REFERENCE)).toMatchObject({
      version: "2.1.0",
      integrity: INTEGRITY,
      lock: {
        "jars.lock": `main org.example.Main\njava 17\n${MAIN} org.example:ripcat:2.1.0\n${OTHER} org.other:colour:0.2.0:native\n`,
      },
      bins: ["ripcat"],
      about: { summary: "Cats archives", license: "MIT", homepage: "https://example.org/ripcat" },
    });
  });

  test("a jar that names no class to start: the maintainer is told what to write", () => {
    const answer = mavenPackage.read({ ...answers, "main.txt": "\n  0  55\n" }, REFERENCE);
    expect(answer.lock["jars.lock"]).toMatch(/^java 11\n/u);
    expect(answer.notices).toEqual([expect.stringContaining("with: { main: CLASS }")]);
  });

  test.each([
    ["nothing", {}],
    ["a file outside of a repository", { ...answers, "jars.txt": `${MAIN} /tmp/tools.jar\n` }],
  ])("%s is refused", (_, given) => {
    expect(() => mavenPackage.read(given, REFERENCE)).toThrow(expect.objectContaining({ code: "PACKAGE_UNUSABLE" }));
  });
});
