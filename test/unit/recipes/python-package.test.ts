import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { pythonPackage } from "../../../src/recipes/python-package.ts";

const RIPCAT = { ecosystem: "pypi", name: "ripcat" } as const;
const [A, B, C] = ["a", "b", "c"].map((digit) => digit.repeat(64));

const LOCK = `# requires-python: >=3.9,<3.15
click==8.1.0 \\
    --hash=sha256:${A}
Rip.Cat==2.1.0 \\
    --hash=sha256:${C} \\
    --hash=sha256:${B}
`;

function lockOf(text: string): Record<string, string> {
  return { "requirements.txt": text };
}

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}

describe("a lock of PyPI", () => {
  test("names a release of one file by its sha256", () => {
    const lock = lockOf(`ripcat==2.1.0 --hash=sha256:${A}\n`);
    expect(pythonPackage.readLock(lock, RIPCAT, "2.1.0")).toEqual({
      integrity: `sha256-${base64(A ?? "")}`,
      packages: 1,
    });
  });

  test("names a release of several by the sha256 of theirs, whatever their order", () => {
    const expected = createHash("sha256").update(`${B}\n${C}\n`).digest("base64");
    const name = { ecosystem: "pypi", name: "rip-cat" } as const;
    expect(pythonPackage.readLock(lockOf(LOCK), name, "2.1.0")).toEqual({
      integrity: `sha256-${expected}`,
      packages: 2,
    });
  });

  test.each([
    ["another index", `--index-url https://example.org/simple\n${LOCK}`],
    ["an address", `ripcat @ https://example.org/ripcat.whl --hash=sha256:${A}\n`],
    ["a release without a hash", `${LOCK}six==1.0\n`],
    ["a range", `ripcat>=2 --hash=sha256:${A}\n`],
    ["another file", `${LOCK}-r other.txt\n`],
    ["a folder", `./ripcat --hash=sha256:${A}\n`],
    ["a weak hash", "ripcat==2.1.0 --hash=md5:abc\n"],
    ["a comment that hides a line", `ripcat==2.1.0 --hash=sha256:${A} # x\n`],
    ["a pin twice", `ripcat==2.1.0 --hash=sha256:${A}\nripcat==2.1.0 --hash=sha256:${B}\n`],
    ["another version", `ripcat==2.0.0 --hash=sha256:${A}\n`],
    ["nothing", ""],
  ])("with %s is refused", (_, text) => {
    expect(() => pythonPackage.readLock(lockOf(text), RIPCAT, "2.1.0")).toThrow(
      expect.objectContaining({ code: "LOCK_INVALID" }),
    );
  });
});

test("the steps install hashed wheels alone, in an environment of the prefix, for the Pythons of the lock", () => {
  const output = pythonPackage.expand({
    options: {},
    bins: ["rc"],
    version: "2.1.0",
    package: { ecosystem: "pypi", name: "rip-cat" },
    lock: lockOf(LOCK),
  });
  const commands = output.steps.map((step) => (step.kind === "run" ? String(step.run) : step.title));
  expect(commands[0]).toContain('python3 -m venv --without-pip "$IPM_PREFIX/venv"');
  expect(commands[1]).toContain(
    "pip install --no-compile --no-deps --only-binary :all: --require-hashes -r requirements.txt",
  );
  expect(output.steps.map((step) => (step.kind === "run" ? step.network : []))).toEqual([[], ["pypi"], [], []]);
  expect(output.requires).toEqual([expect.objectContaining({ tool: "python3", version: ">=3.9,<3.15" })]);
  expect(output.bins).toEqual({ rc: "venv/bin/rc" });
});

describe("asking PyPI", () => {
  test("hands name and version over by the environment", () => {
    const { step, files } = pythonPackage.ask(RIPCAT, null);
    expect(step.env).toMatchObject({ IPM_PACKAGE: "ripcat", IPM_WANTED: "" });
    expect(`${String(step.run)}${files["ask.py"]}`).not.toContain("ripcat");
  });

  const ANSWER = {
    main: {
      name: "ripcat",
      version: "2.1.0",
      summary: "Search text in archives",
      license_expression: "MIT",
      project_urls: ["Homepage, https://ripcat.example.org", "Source, https://github.com/owner/ripcat.git"],
      keywords: ["search,archive"],
    },
    requires_python: ">=3.9",
    problem: null,
    pins: [
      { name: "ripcat", version: "2.1.0", hashes: [B, A] },
      { name: "Click", version: "8.1.0", hashes: [C] },
    ],
    bins: ["rc"],
    notices: [],
  };

  test("writes a lock that it would take itself", () => {
    const answer = pythonPackage.read({ "answer.json": JSON.stringify(ANSWER) }, RIPCAT);
    expect(answer.lock["requirements.txt"]).toBe(
      `# requires-python: >=3.9\nClick==8.1.0 \\\n    --hash=sha256:${C}\nripcat==2.1.0 \\\n    --hash=sha256:${A} \\\n    --hash=sha256:${B}\n`,
    );
    expect(answer).toMatchObject({
      version: "2.1.0",
      prerelease: false,
      bins: ["rc"],
      about: { license: "MIT", homepage: "https://github.com/owner/ripcat", keywords: ["search", "archive"] },
    });
  });

  test.each([
    ["", "no answer that can be read"],
    [JSON.stringify({ ...ANSWER, problem: "no wheels" }), "no wheels"],
    [JSON.stringify({ ...ANSWER, pins: [{ name: "ripcat", version: "2.1.0", hashes: [] }] }), "without hashes"],
  ])("what cannot be locked is refused", (text, why) => {
    expect(() => pythonPackage.read({ "answer.json": text }, RIPCAT)).toThrow(
      expect.objectContaining({ code: "PACKAGE_UNUSABLE", message: expect.stringContaining(why) }),
    );
  });
});
