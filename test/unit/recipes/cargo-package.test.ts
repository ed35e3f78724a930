import { describe, expect, test } from "vitest";
import type { PackageReference } from "../../../src/manifest/package-reference.ts";
import { cargoPackage } from "../../../src/recipes/cargo-package.ts";

const REFERENCE: PackageReference = { ecosystem: "crates", name: "ripcat" };
const CHECKSUM = "0f".repeat(32);
const INTEGRITY = `sha256-${Buffer.from(CHECKSUM, "hex").toString("base64")}`;
const CRATE = `name = "ripcat"
version = "2.1.0"
checksum = "${CHECKSUM}"
packages = "12"
rust-version = "1.74"
bins = ["rc", "rcd"]
tools = ["cmake"]
`;
const OWN = "# The crate's own Cargo.lock, which its checksum covers.\n";
const LOCK = { "crate.toml": CRATE, "Cargo.lock": OWN };
const INDEX = "registry+https://github.com/rust-lang/crates.io-index";
const CARGO_LOCK = `version = 4

[[package]]
name = "colour"
version = "0.2.0"
source = "${INDEX}"
checksum = "${"ab".repeat(32)}"

[[package]]
name = "ripcat"
version = "2.1.0"
dependencies = [
 "colour",
]
`;

function expand(options: Readonly<Record<string, unknown>> = {}, bins = ["rc"], lock: Record<string, string> = LOCK) {
  return cargoPackage.expand({ options, bins, version: "2.1.0", package: REFERENCE, lock });
}

describe("the lock of a crate", () => {
  test.each([
    ["the crate's own Cargo.lock", OWN],
    ["a Cargo.lock of the entry", CARGO_LOCK],
  ])("pins the crate by its sha256, with %s", (_, lock) => {
    const facts = cargoPackage.readLock({ ...LOCK, "Cargo.lock": lock }, REFERENCE, "2.1.0");
    expect(facts).toEqual({ integrity: INTEGRITY, packages: 12 });
  });

  test.each([
    ["another version", { ...LOCK, "crate.toml": CRATE.replace("2.1.0", "2.2.0") }, "it pins ripcat 2.2.0"],
    ["another crate", { ...LOCK, "crate.toml": CRATE.replace("ripcat", "ripdog") }, "it pins ripdog"],
    ["no checksum", { ...LOCK, "crate.toml": CRATE.replace(CHECKSUM, "") }, "does not name a crate"],
    ["a program that is a flag", { ...LOCK, "crate.toml": CRATE.replace('"rc"', '"--bins"') }, "does not name a crate"],
    ["no TOML", { ...LOCK, "crate.toml": "= =" }, "does not name a crate"],
    ["an empty Cargo.lock", { ...LOCK, "Cargo.lock": "" }, "made for another crate"],
    [
      "a Cargo.lock of another version",
      { ...LOCK, "Cargo.lock": CARGO_LOCK.replace("2.1.0", "2.0.0") },
      "made for another crate",
    ],
    [
      "a dependency without a checksum",
      { ...LOCK, "Cargo.lock": CARGO_LOCK.replace(/^checksum.*\n/mu, "") },
      "colour has no checksum",
    ],
    [
      "a dependency from elsewhere",
      { ...LOCK, "Cargo.lock": CARGO_LOCK.replace(INDEX, "git+https://example.org/colour") },
      "colour does not come from crates.io",
    ],
  ])("%s is refused", (_, lock, why) => {
    expect(() => cargoPackage.readLock(lock, REFERENCE, "2.1.0")).toThrow(
      expect.objectContaining({ code: "LOCK_INVALID", message: expect.stringContaining(why) }),
    );
  });
});

describe("the installation of a crate", () => {
  test("fetches by the lock, and compiles without network what was checked", () => {
    const { steps, downloads, requires } = expand({ features: ["pcre2"], "default-features": "false" });
    expect(downloads).toEqual([
      {
        file: "ripcat-2.1.0.crate",
        url: "https://static.crates.io/crates/ripcat/ripcat-2.1.0.crate",
        sha256: CHECKSUM,
        bytes: null,
        ecosystem: "crates",
      },
    ]);
    expect(steps.map((step) => step.kind === "run" && step.network)).toEqual([[], ["crates"], []]);
    expect(steps[1]).toMatchObject({ run: expect.stringContaining("cargo fetch --locked") });
    expect(steps[2]).toMatchObject({
      run: [
        "cargo",
        "install",
        "--path",
        "crate",
        "--no-track",
        "--locked",
        "--offline",
        "--no-default-features",
        "--features",
        "pcre2",
        "--bin",
        "rc",
      ],
      env: { CARGO_INSTALL_ROOT: "{prefix}" },
    });
    expect(requires.map((one) => ("tool" in one ? `${one.tool} ${one.version}` : ""))).toEqual([
      "cargo >=1.74",
      "cc null",
      "cmake null",
    ]);
  });

  test("the entry's Cargo.lock is put into the crate, and the crate's own is left", () => {
    const scriptOf = (lock: string): string =>
      JSON.stringify(expand({}, ["rc"], { ...LOCK, "Cargo.lock": lock }).steps[0]);
    expect(scriptOf(CARGO_LOCK)).toContain("cp Cargo.lock crate/Cargo.lock");
    expect(scriptOf(OWN)).not.toContain("cp Cargo.lock");
  });

  test("a launcher that is no program of the crate: all are built, and the plan says so", () => {
    const { steps, notices } = expand({}, ["ripcat"]);
    expect(steps[2]).toMatchObject({ run: expect.not.arrayContaining(["--bin"]) });
    expect(notices).toEqual(["ripcat has no program ripcat"]);
  });
});

describe("the answer of cargo", () => {
  const answers = {
    "Cargo.lock": `[[package]]\nname = "ipm-package"\nversion = "0.0.0"\n\n[[package]]\nname = "ripcat"\nversion = "2.1.0"\nsource = "${INDEX}"\nchecksum = "${CHECKSUM}"\n`,
    "crate-manifest":
      '[package]\nname = "ripcat"\nversion = "2.1.0"\nedition = "2021"\nrust-version = "1.74"\ndescription = "Cats archives"\nlicense = "MIT"\nrepository = "https://example.org/owner/ripcat"\nhomepage = "https://ripcat.example.org"\n\n[[bin]]\nname = "rc"\npath = "src/main.rs"\n',
    "crate-lock": CARGO_LOCK,
    "crate-files": "./Cargo.toml\n./Cargo.lock\n./src/main.rs\n",
  };

  test("becomes a version whose lock is small: the crate brings its own Cargo.lock", () => {
    const answer = cargoPackage.read(answers, REFERENCE);
    expect(answer).toMatchObject({
      version: "2.1.0",
      integrity: INTEGRITY,
      bins: ["rc"],
      notices: [],
      about: { summary: "Cats archives", license: "MIT", homepage: "https://example.org/owner/ripcat" },
    });
    expect(answer.lock["Cargo.lock"]).toBe(OWN);
    expect(answer.lock["crate.toml"]).toContain('rust-version = "1.74"');
  });

  test("a crate without a Cargo.lock gets one, and the maintainer is told", () => {
    const answer = cargoPackage.read({ ...answers, "crate-files": "./Cargo.toml\n./src/main.rs\n" }, REFERENCE);
    expect(answer.lock["Cargo.lock"]).toBe(CARGO_LOCK);
    expect(answer.notices).toEqual([expect.stringContaining("brings no Cargo.lock")]);
  });

  test.each([
    [
      "a library",
      {
        ...answers,
        "crate-manifest": answers["crate-manifest"].replace(/\n\[\[bin\]\][\s\S]*/u, "\n"),
        "crate-files": "./src/lib.rs\n",
      },
      "no program",
    ],
    ["nothing", {}, "no answer"],
  ])("%s is refused", (_, given, why) => {
    expect(() => cargoPackage.read(given, REFERENCE)).toThrow(
      expect.objectContaining({ code: "PACKAGE_UNUSABLE", message: expect.stringContaining(why) }),
    );
  });

  test("is asked for by environment alone: no name is a part of the script", () => {
    const { step } = cargoPackage.ask(REFERENCE, "2.1.0");
    expect(step.env).toMatchObject({ IPM_PACKAGE: "ripcat", IPM_WANTED: "=2.1.0" });
    expect(String(step.run)).not.toContain("ripcat");
  });
});
