import { describe, expect, test } from "vitest";
import { lacks } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

/** A `mvn` that does what Maven would: its plugins cannot be had without a network. */
const FAKE_MAVEN = `#!/bin/sh
set -eu
[ "$1" != --version ] || { echo "Apache Maven 3.9.9"; exit; }
mkdir -p target classes
javac -d classes Main.java
printf 'Main-Class: Main\\n' > manifest
jar cfm target/sample-1.0.jar manifest -C classes .
jar cfm target/sample-1.0-sources.jar manifest Main.java
jar cf target/original-sample-1.0.jar -C classes .
echo "home $HOME $MAVEN_OPTS"
`;

describe.skipIf(lacks("java", "javac", "jar"))("maven, from the checkout (java, javac)", () => {
  test("the runnable jar and a launcher for it, with the Java of the plan", async () => {
    const { run } = await installRepository(
      {
        "pom.xml": `<project><modelVersion>4.0.0</modelVersion><artifactId>sample</artifactId><version>1.0</version>
<properties><maven.compiler.release>11</maven.compiler.release></properties></project>`,
        "Main.java":
          'public class Main { public static void main(String[] a) { System.out.println("hello " + String.join("+", a)); } }\n',
      },
      "steps: [uses: maven]\nbin: [sample]\n",
      { programs: { mvn: FAKE_MAVEN } },
    );
    expect(run("sample", "a b", "c")).toMatchObject({ stdout: "hello a b+c\n", stderr: "" });
  });
});
