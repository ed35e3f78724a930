import { describe, expect, test } from "vitest";
import { lacks, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

/** A `gradle` that does what Gradle would for the two kinds of jar. */
const FAKE_GRADLE = `#!/bin/sh
set -eu
[ "$1" != --version ] || { echo "Gradle 8.10"; exit; }
for task; do :; done
[ "$GRADLE_USER_HOME" = "$HOME/.gradle" ]
mkdir -p classes
javac -d classes src/main/java/demo/Main.java
printf 'Main-Class: demo.Main\\n' > manifest
case $task in
  :installDist)
    mkdir -p build/install/sample/lib
    jar cf build/install/sample/lib/sample.jar -C classes . ;;
  :jar)
    mkdir -p build/libs
    jar cfm build/libs/sample-1.0.jar manifest -C classes .
    jar cf build/libs/sample-1.0-sources.jar manifest ;;
  *) echo "unknown task $task" >&2; exit 1 ;;
esac
`;

const MAIN =
  'package demo;\npublic class Main { public static void main(String[] a) { System.out.println("hello " + String.join("+", a)); } }\n';
const APPLICATION = {
  "settings.gradle": "rootProject.name = 'sample'\n",
  "build.gradle": "plugins { id 'application' }\napplication { mainClass = 'demo.Main' }\n",
  "src/main/java/demo/Main.java": MAIN,
};
const MANIFEST = "steps: [uses: gradle]\nbin: [sample]\n";

describe.skipIf(lacks("java", "javac", "jar"))("gradle, from the checkout (java, javac)", () => {
  test("a distribution: its jars on the class path of a launcher that starts the main class", async () => {
    const { run } = await installRepository(APPLICATION, MANIFEST, { programs: { gradle: FAKE_GRADLE } });
    expect(run("sample", "a b", "c")).toMatchObject({ stdout: "hello a b+c\n", stderr: "" });
  });

  test("a runnable jar among others", async () => {
    const { run } = await installRepository(
      {
        ...APPLICATION,
        "build.gradle": "plugins { id 'java' }\njar { manifest { attributes 'Main-Class': 'demo.Main' } }\n",
      },
      MANIFEST,
      { programs: { gradle: FAKE_GRADLE } },
    );
    expect(run("sample", "x")).toMatchObject({ stdout: "hello x\n", stderr: "" });
  });

  test.skipIf(lacks("gradle"))(
    "(gradle) the same distribution by Gradle itself",
    async () => {
      const { run } = await installRepository(APPLICATION, MANIFEST, { env: toolchainEnvironment() });
      expect(run("sample", "a b", "c")).toMatchObject({ stdout: "hello a b+c\n", stderr: "" });
    },
    300_000,
  );
});
