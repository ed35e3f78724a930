import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { lacks, reaches, toolchainEnvironment } from "../../helpers/language-toolchains.ts";
import { installRepository } from "../../helpers/recipe-repository.ts";

const env = toolchainEnvironment();
const FAST = "[profile.release]\nopt-level = 0\n";

describe.skipIf(lacks("cargo", "cc"))("cargo, from the checkout (needs cargo, cc)", () => {
  test("the member of a virtual workspace that makes the launcher; its helper is not installed", async () => {
    const { run, prefix } = await installRepository(
      {
        "Cargo.toml": `[workspace]\nmembers = ["core", "cli", "xtask"]\nresolver = "2"\n[workspace.package]\nversion = "0.9.0"\nedition = "2021"\n${FAST}`,
        "Cargo.lock": `version = 3\n\n[[package]]\nname = "core-of-it"\nversion = "0.9.0"\n\n[[package]]\nname = "sample-cli"\nversion = "0.9.0"\ndependencies = [\n "core-of-it",\n]\n\n[[package]]\nname = "xtask"\nversion = "0.9.0"\n`,
        "core/Cargo.toml": '[package]\nname = "core-of-it"\nversion.workspace = true\nedition.workspace = true\n',
        "core/src/lib.rs": "pub fn answer() -> u32 { 42 }\n",
        "cli/Cargo.toml":
          '[package]\nname = "sample-cli"\nversion.workspace = true\nedition.workspace = true\n[[bin]]\nname = "sample"\npath = "src/main.rs"\n[dependencies]\ncore-of-it = { path = "../core" }\n',
        "cli/src/main.rs": 'fn main() {\n    println!("{}", core_of_it::answer());\n}\n',
        "xtask/Cargo.toml": '[package]\nname = "xtask"\nversion.workspace = true\nedition.workspace = true\n',
        "xtask/src/main.rs": "fn main() {}\n",
      },
      "steps: [uses: cargo]\nbin: [sample]\n",
      { env },
    );
    expect(run("sample").stdout).toBe("42\n");
    expect(readdirSync(path.join(prefix, "bin"))).toEqual(["sample"]);
    expect(readdirSync(prefix)).toEqual(["bin"]);
  }, 120_000);

  test("an example that is called cargo gets another name on PATH", async () => {
    const { run, layout, context } = await installRepository(
      {
        "Cargo.toml": `[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2021"\n${FAST}`,
        "src/lib.rs": "",
        "examples/cargo.rs": 'fn main() {\n    println!("example");\n}\n',
      },
      "steps: [{ uses: cargo, with: { examples: [cargo] } }]\nbin: { sample-cargo: bin/cargo }\n",
      { env },
    );
    expect(run("sample-cargo").stdout).toBe("example\n");
    expect(await context.host.files.list(path.join(layout.current, "bin"))).toEqual(["sample-cargo"]);
  }, 120_000);

  test.skipIf(!reaches("crates"))(
    "network: a crate of the index, without a lockfile",
    async () => {
      const { run, events } = await installRepository(
        {
          "Cargo.toml": `[package]\nname = "sample"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nitoa = "=1.0.11"\n${FAST}`,
          "src/main.rs": 'fn main() {\n    println!("{}", itoa::Buffer::new().format(7));\n}\n',
        },
        "steps: [uses: cargo]\nbin: [sample]\n",
        { env },
      );
      expect(run("sample").stdout).toBe("7\n");
      const plan = events.find((event) => event.type === "plan.ready");
      expect(JSON.stringify(plan)).toContain("no Cargo.lock");
    },
    180_000,
  );
});
