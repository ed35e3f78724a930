import { describe, expect, test } from "vitest";
import { cargoRecipe } from "../../../src/recipes/cargo.ts";
import { commandsIn, detectIn, expandIn, runStepsIn } from "../../helpers/recipe-input.ts";

const ROOT = `[package]\nname = "tool"\nversion = "1.0.0"\nedition = "2021"\nrust-version = "1.88"\n[dependencies]\nclap = "4"\n`;
const LOCK = `version = 3\n[[package]]\nname = "clap"\nversion = "4.0.0"\nsource = "registry+https://example.org/index"\n`;
const PLAIN = { "Cargo.toml": ROOT, "Cargo.lock": LOCK, "src/main.rs": "fn main() {}" };

/** A library, a program and a helper in a workspace without a root package (sd). */
const VIRTUAL = {
  "Cargo.toml": `[workspace]\nmembers = ["sd", "sd-cli", "xtask"]\n[workspace.package]\nversion = "1.0.0"\nedition = "2024"\nrust-version = "1.86"\n`,
  "Cargo.lock": LOCK,
  "sd/Cargo.toml": `[package]\nname = "sd"\nedition.workspace = true\n`,
  "sd/src/lib.rs": "",
  "sd-cli/Cargo.toml": `[package]\nname = "sd-cli"\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n[[bin]]\nname = "sd"\npath = "src/main.rs"\n`,
  "sd-cli/src/main.rs": "",
  "xtask/Cargo.toml": `[package]\nname = "xtask"\n`,
  "xtask/src/main.rs": "",
};

describe("the cargo recipe", () => {
  test("installs the root package with its lockfile, into the prefix", () => {
    const output = expandIn(cargoRecipe, PLAIN);
    expect(commandsIn(output)).toEqual(["cargo install --path . --no-track --locked --bin tool"]);
    expect(runStepsIn(output)[0]).toMatchObject({ env: { CARGO_INSTALL_ROOT: "{prefix}" }, network: ["crates"] });
    expect(output.bins).toEqual({ tool: "bin/tool" });
    expect(output.notices).toEqual([]);
    expect(output.requires).toMatchObject([{ tool: "cargo", version: ">=1.88" }, { tool: "cc" }]);
  });

  test("without crates of others there is no network", () => {
    const output = expandIn(cargoRecipe, {
      "Cargo.toml": '[package]\nname = "tool"\nedition = "2021"\n[dependencies]\nown = { path = "own" }\n',
      "src/main.rs": "",
    });
    expect(commandsIn(output)[0]).toContain("--offline");
    expect(runStepsIn(output)[0]?.network).toEqual([]);
    expect(output.requires[0]).toMatchObject({ version: ">=1.56" });
  });

  test("no lockfile: said in a notice, and --locked is not given", () => {
    const output = expandIn(cargoRecipe, { "Cargo.toml": ROOT, "src/main.rs": "" });
    expect(commandsIn(output)[0]).not.toContain("--locked");
    expect(output.notices[0]).toContain("no Cargo.lock");
  });

  test("finds the member of a virtual workspace that makes the launcher, and not the helper", () => {
    const output = expandIn(cargoRecipe, VIRTUAL, { bins: ["sd"] });
    expect(commandsIn(output)).toEqual(["cargo install --path sd-cli --no-track --locked --bin sd"]);
    expect(output.requires[0]).toMatchObject({ version: ">=1.86" });
  });

  test("several programs that fit no launcher are listed", () => {
    const two = { ...VIRTUAL, "other/Cargo.toml": '[package]\nname = "other"\n', "other/src/main.rs": "" };
    expect(() => expandIn(cargoRecipe, two, { bins: ["x"] })).toThrow("other (other), sd-cli (sd)");
    expect(commandsIn(expandIn(cargoRecipe, two, { bins: ["x"], options: { package: "other" } }))[0]).toContain(
      "--path other",
    );
    expect(() => expandIn(cargoRecipe, two, { options: { package: "nope" } })).toThrow("no package nope");
  });

  test("features, profile, programs and examples", () => {
    const output = expandIn(cargoRecipe, PLAIN, {
      options: { features: ["pcre2", "dep/x"], "default-features": "false", profile: "dist", examples: ["hello"] },
    });
    expect(commandsIn(output)[0]).toBe(
      "cargo install --path . --no-track --locked --no-default-features --features pcre2,dep/x --profile dist --bin tool --example hello",
    );
    expect(() => expandIn(cargoRecipe, PLAIN, { options: { features: ["--config x"] } })).toThrow("not a name");
    expect(() => expandIn(cargoRecipe, PLAIN, { options: { "default-features": "no" } })).toThrow("true or false");
  });

  test("a library installs its examples (lexopt)", () => {
    const output = expandIn(
      cargoRecipe,
      { "Cargo.toml": '[package]\nname = "lexopt"\n', "src/lib.rs": "", "examples/hello.rs": "" },
      { bins: ["hello"], options: { examples: ["hello"] } },
    );
    expect(commandsIn(output)[0]).toBe("cargo install --path . --no-track --offline --example hello");
  });

  test("a launcher of another name takes any program of the package", () => {
    expect(commandsIn(expandIn(cargoRecipe, PLAIN, { bins: ["short"] }))[0]).not.toContain("--bin");
  });

  test("what crates need besides is required: cmake by its helper crate", () => {
    const output = expandIn(cargoRecipe, { ...PLAIN, "Cargo.lock": `${LOCK}[[package]]\nname = "cmake"\n` });
    expect(output.requires.map((one) => ("tool" in one ? one.tool : ""))).toEqual(["cargo", "cc", "cmake"]);
  });

  test("crates from git and a toolchain of the night are told", () => {
    const output = expandIn(cargoRecipe, {
      ...PLAIN,
      "Cargo.lock": `${LOCK}source = "git+https://git.example/x?rev=1#2"\n`,
      "rust-toolchain.toml": '[toolchain]\nchannel = "nightly-2026-01-01"\n',
    });
    expect(output.notices.join("\n")).toMatch(/git\.example[\s\S]*nightly/u);
  });

  test("refuses a repository without a package", () => {
    expect(() => expandIn(cargoRecipe, { "main.c": "" })).toThrow("no Cargo.toml");
  });
});

describe("detection of Rust", () => {
  test("a root package is certain, with the line that names it", () => {
    const [found] = detectIn(PLAIN);
    expect(found).toMatchObject({ recipe: "cargo", confidence: "certain", bins: { tool: null }, options: {} });
    expect(found?.evidence).toEqual(["Cargo.toml:2 package tool", "Cargo.lock"]);
  });

  test("programs of src/bin, declared and renamed ones, each once", () => {
    const [found] = detectIn({
      "Cargo.toml": '[package]\nname = "a"\n[[bin]]\nname = "c"\npath = "src/bin/b.rs"\n',
      "src/main.rs": "",
      "src/bin/b.rs": "",
      "src/bin/d/main.rs": "",
    });
    expect(Object.keys(found?.bins ?? {})).toEqual(["a", "c", "d"]);
  });

  test("the member of a virtual workspace, without xtask, vendored crates and fixtures", () => {
    const found = detectIn({
      ...VIRTUAL,
      "vendor/x/Cargo.toml": '[package]\nname = "x"\n',
      "vendor/x/src/main.rs": "",
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      confidence: "likely",
      bins: { sd: null },
      about: { name: "sd-cli", version: "1.0.0" },
    });
    expect(expandIn(cargoRecipe, VIRTUAL, { bins: ["sd"], options: found[0]?.options ?? {} }).steps).toHaveLength(1);
  });

  test("a library is only possible, by its examples", () => {
    const [found] = detectIn({
      "Cargo.toml": '[package]\nname = "lexopt"\n',
      "src/lib.rs": "",
      "examples/cargo.rs": "",
    });
    expect(found).toMatchObject({ confidence: "possible", options: { examples: ["cargo"] } });
  });
});
