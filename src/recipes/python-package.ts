import { integrityOfHex, sha256Hex } from "../core/canonical-json.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { PackageReference } from "../manifest/package-reference.ts";
import { NO_FACTS, type PackageFacts } from "./candidate.ts";
import { flagOption } from "./options.ts";
import { invalidLock, unusablePackage } from "./package-failure.ts";
import type { LockFacts, PackageAnswer, PackageInput, PackageQuery, PackageRecipe } from "./package-recipe.ts";
import { ASK_PYPI } from "./python-package-query.ts";
import { COMPILE, CREATE, PIP, REMOVE_INSTALLERS, pythonRun, quote } from "./python-environment.ts";
import type { DraftStep, RecipeOutput } from "./recipe.ts";

const LOCK = "requirements.txt";
const ANSWER = "answer.json";
const SCRIPT = "ask.py";

/** One pinned release: its files may be any of those that are hashed. */
interface Pin {
  readonly name: string;
  readonly version: string;
  /** 64 hex digits each. */
  readonly hashes: readonly string[];
}

interface Lock {
  /** Which versions of Python it was made for: `>=3.9,<3.15`; null where it does not say. */
  readonly pythonRange: string | null;
  readonly pins: readonly Pin[];
}

/** PEP 503: names that differ only by case and by `-`, `_`, `.` are one. */
function normalize(name: string): string {
  return name.replaceAll(/[-_.]+/gu, "-").toLowerCase();
}

const PIN =
  /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)((?: --hash=sha256:[0-9a-f]{64})+)$/u;
const RANGE = /^# requires-python: ([<>=!~0-9., ]{1,100})$/u;

/** Read a requirements file that holds pins with hashes and nothing else; the first line that is something else as text. */
function parseLock(text: string): Lock | { readonly odd: string } {
  const pins: Pin[] = [];
  let pythonRange: string | null = null;
  for (const line of text.replaceAll(/ *\\\n */gu, " ").split("\n")) {
    const range = RANGE.exec(line)?.[1];
    if (range !== undefined) pythonRange = range;
    if (line.startsWith("#") || line === "") continue;
    const [, name, version, hashes] = PIN.exec(line) ?? [];
    if (name === undefined || version === undefined || hashes === undefined) return { odd: line };
    pins.push({
      name,
      version,
      hashes: hashes
        .trim()
        .split(/ /u)
        .map((hash) => hash.slice("--hash=sha256:".length)),
    });
  }
  return { pythonRange, pins };
}

/**
 * What stands for the content of a release: the sha256 of its file where it has one, else that of the sorted sha256 of all
 * its files, one a line. PyPI itself has no name for it.
 */
function integrityOf(hashes: readonly string[]): string {
  const [only, another] = hashes;
  const isOne = only !== undefined && another === undefined;
  return integrityOfHex("sha256", isOne ? only : sha256Hex(`${hashes.toSorted().join("\n")}\n`));
}

function mainPin({ pins }: Lock, name: string): Pin | undefined {
  return pins.find((pin) => normalize(pin.name) === normalize(name));
}

/** Check a lock: pip is given nothing but names, versions and hashes, so that what it installs is decided by them. */
function readLock(files: Readonly<Record<string, string>>, reference: PackageReference, version: string): LockFacts {
  const refuse = (why: string): never => {
    throw invalidLock(reference, version, why);
  };
  const lock = parseLock(files[LOCK] ?? "");
  if ("odd" in lock)
    return refuse(`${LOCK} holds what is no version with hashes: ${escapeUntrusted(lock.odd.slice(0, 80))}`);
  const names = lock.pins.map(({ name }) => normalize(name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) refuse(`${LOCK} pins ${twice} twice`);
  const main = mainPin(lock, reference.name);
  if (main?.version !== version) return refuse(`it pins ${reference.name} ${main?.version ?? "nowhere"}`);
  return { integrity: integrityOf(main.hashes), packages: lock.pins.length };
}

function expand(input: PackageInput): RecipeOutput {
  const lock = parseLock(input.lock[LOCK] ?? "");
  const pythonRange = "odd" in lock ? null : lock.pythonRange;
  const install = `pip install --no-compile --no-deps --only-binary :all: --require-hashes -r ${LOCK}`;
  const steps: DraftStep[] = [
    CREATE,
    pythonRun("pip install", `${PIP}\n${install}`, `what ${LOCK} pins, each by its sha256; nothing is built`, true),
  ];
  if (flagOption("python", input.options, "installers") !== true) {
    steps.push(
      pythonRun(
        "remove pip and setuptools where nothing needs them",
        `"$IPM_PREFIX/venv/bin/python" -I -c ${quote(REMOVE_INSTALLERS)}`,
        "a sealed environment installs nothing",
      ),
    );
  }
  steps.push(COMPILE);
  return {
    steps,
    requires: [{ tool: "python3", version: pythonRange, for: "both", optional: false, why: "runs the tool" }],
    bins: Object.fromEntries(input.bins.map((bin) => [bin, `venv/bin/${bin}`])),
    notices: [],
  };
}

function ask(reference: PackageReference, version: string | null): PackageQuery {
  const step = pythonRun(`ask PyPI for ${reference.name}`, `python3 -I ${SCRIPT} > ${ANSWER}`, null, true);
  return {
    step: { ...step, env: { ...step.env, IPM_PACKAGE: reference.name, IPM_WANTED: version ?? "" } },
    files: { [SCRIPT]: ASK_PYPI },
    requires: [{ tool: "python3", version: ">=3.9", for: "build", optional: false, why: "asks PyPI by its pip" }],
    answers: [ANSWER],
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function pinOf(value: unknown): Pin | undefined {
  if (!isRecord(value)) return undefined;
  const [name, version, hashes] = [textOf(value["name"]), textOf(value["version"]), textsOf(value["hashes"])];
  return name === null || version === null || hashes.length === 0 ? undefined : { name, version, hashes };
}

function formatLock(pythonRange: string | null, pins: readonly Pin[]): string {
  const blocks = pins.map(({ name, version, hashes }) =>
    [`${name}==${version}`, ...hashes.toSorted().map((hash) => `    --hash=sha256:${hash}`)].join(" \\\n"),
  );
  return `${[...(pythonRange === null ? [] : [`# requires-python: ${pythonRange}`]), ...blocks].join("\n")}\n`;
}

const CLASSIFIER_LICENSES: Readonly<Record<string, string>> = {
  "License :: OSI Approved :: MIT License": "MIT",
  "License :: OSI Approved :: BSD License": "BSD-3-Clause",
  "License :: OSI Approved :: ISC License (ISCL)": "ISC",
  "License :: OSI Approved :: Apache Software License": "Apache-2.0",
  "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
  "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
  "License :: OSI Approved :: GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
  "License :: OSI Approved :: GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
  "License :: OSI Approved :: GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
  "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
};

/** The repository among the links of the metadata, else its page. */
function homepageOf(main: Readonly<Record<string, unknown>>): string | null {
  const links = textsOf(main["project_urls"]).map((line) => {
    const comma = line.indexOf(",");
    return { label: line.slice(0, comma).toLowerCase(), url: line.slice(comma + 1).trim() };
  });
  const labels = [/^(?:source|source code|repository|code|git ?hub)$/u, /^(?:homepage|home)$/u];
  const found = labels
    .map((label) => links.find((link) => label.test(link.label))?.url)
    .find((url) => url !== undefined);
  return (found ?? textOf(main["home_page"]))?.replace(/\.git$/u, "").replace(/^http:/u, "https:") ?? null;
}

function aboutOf(main: Readonly<Record<string, unknown>>): PackageFacts {
  const words = textsOf(main["keywords"]).flatMap((line) => line.split(/[,;]/u));
  const keywords = words.length === 1 ? (words[0] ?? "").split(/\s+/u) : words;
  const classified = textsOf(main["classifier"])
    .map((line) => CLASSIFIER_LICENSES[line])
    .find((license) => license !== undefined);
  const license = textOf(main["license"]);
  return {
    ...NO_FACTS,
    name: textOf(main["name"]),
    version: textOf(main["version"]),
    summary: textOf(main["summary"]),
    license: textOf(main["license_expression"]) ?? classified ?? (license?.includes("\n") === true ? null : license),
    homepage: homepageOf(main),
    keywords: keywords.map((word) => word.trim()).filter((word) => word !== ""),
  };
}

function read(answers: Readonly<Record<string, string>>, reference: PackageReference): PackageAnswer {
  let answer: unknown;
  try {
    answer = JSON.parse(answers[ANSWER] ?? "");
  } catch {
    answer = undefined;
  }
  if (!isRecord(answer) || !isRecord(answer["main"]))
    throw unusablePackage(reference, "pip gave no answer that can be read");
  const problem = textOf(answer["problem"]);
  if (problem !== null) throw unusablePackage(reference, escapeUntrusted(problem));
  const pins = Array.isArray(answer["pins"]) ? answer["pins"].map(pinOf) : [];
  const version = textOf(answer["main"]["version"]);
  const known = pins.filter((pin) => pin !== undefined);
  if (version === null || known.length === 0 || known.length < pins.length)
    throw unusablePackage(reference, "PyPI's answer has releases without hashes");
  const range = textOf(answer["requires_python"]);
  const lock = {
    [LOCK]: formatLock(
      range,
      known.toSorted((a, b) => (normalize(a.name) < normalize(b.name) ? -1 : 1)),
    ),
  };
  const { integrity } = readLock(lock, reference, version);
  return {
    version,
    prerelease: /(?:a|b|rc|\.dev)\d+/u.test(version),
    integrity,
    lock,
    about: aboutOf(answer["main"]),
    bins: textsOf(answer["bins"]),
    notices: textsOf(answer["notices"]).map(escapeUntrusted),
  };
}

/** A package of PyPI: wheels by a requirements file with hashes, in an environment of its own. */
export const pythonPackage: PackageRecipe = {
  options: { installers: "true: keep pip and setuptools in the environment" },
  lockFiles: [LOCK],
  readLock,
  expand,
  ask,
  read,
};
