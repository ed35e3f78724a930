import { integrityOfHex } from "../core/canonical-json.ts";
import { type CommitSha, type PlanDigest, type TreeSha, isCommitSha, isPlanDigest, isTreeSha } from "../core/ids.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";

/**
 * What a verification run saw, as an in-toto Statement v1 (https://in-toto.io/Statement/v1) with the SLSA Verification
 * Summary predicate v1 (https://slsa.dev/verification_summary/v1). Both formats let a producer add fields whose names
 * are URIs; ours have urns, because they are to mean the same whoever serves the registry.
 */
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1";
/** Who verified: the program. Who ran it is for a signature to say. */
const VERIFIER = "urn:ipm:verify";
/** The checks that had to pass; raised with every change of what `ipm verify` demands. */
const CHECKS = "urn:ipm:verify:checks:1";
/** The predicate's field with our own facts. */
const FACTS = "urn:ipm:verification:1";
const LEVEL = "IPM_VERIFIED";

/** Bytes of an attestation file that are read; one statement has about 2 KiB. */
export const MAX_ATTESTATION_BYTES = 256 * 1024;
const MAX_STATEMENTS = 32;
const MAX_TEXT = 200;
const MAX_LIST = 100;

/** One passed verification of one method on one platform. Everything in it is public. */
export interface Attestation {
  readonly name: string;
  readonly version: string;
  readonly method: string;
  readonly digest: PlanDigest;
  /** What the checkout was; null for a package. */
  readonly commit: CommitSha | null;
  readonly tree: TreeSha | null;
  /** What the package was; null for a checkout. */
  readonly package: AttestedPackage | null;
  /** `linux-x64-glibc`. */
  readonly platform: string;
  readonly distribution: { readonly id: string; readonly version: string };
  /** Toolchains by name, `ipm` and `git` among them; null where a tool did not say its version. */
  readonly tools: Readonly<Record<string, string | null>>;
  /** Never `none`: what ran without a sandbox is not verified. */
  readonly isolation: "bubblewrap" | "seatbelt";
  /** ISO time of the end of the run, UTC. */
  readonly time: string;
  /** Whole seconds of the whole run. */
  readonly seconds: number;
  /** Bytes of the installed tree, and the most that the run took on the disk. */
  readonly bytes: number;
  readonly peakBytes: number;
  readonly files: number;
  /** What the manifest declares, and what of it was reached: ecosystems and host names as the manifest writes them. */
  readonly network: { readonly declared: readonly string[]; readonly reached: readonly string[] };
  /** Two builds in different surroundings gave the same files; null when only one was made. */
  readonly reproducible: boolean | null;
  /** What was done and held, in its order: `install`, `reinstall`, `upgrade`, ... */
  readonly checks: readonly string[];
}

/** An ecosystem's package, as a statement names it. */
export interface AttestedPackage {
  /** A package URL: `pkg:npm/ripcat@2.1.0`. */
  readonly url: string;
  /** `sha512-…`. */
  readonly integrity: string;
  /** The plan's digest of the lock. */
  readonly lock: string;
}

/** `sha512-<base64>` as an in-toto digest set, whose values are hex. */
function digestSetOf(integrity: string): Record<string, string> {
  const dash = integrity.indexOf("-");
  return { [integrity.slice(0, dash)]: Buffer.from(integrity.slice(dash + 1), "base64").toString("hex") };
}

function integrityOf(digests: Json): string {
  const [entry, ...others] = Object.entries(digests);
  if (entry === undefined || others.length > 0) return doubt("the package has not exactly one digest");
  const [algorithm, value] = entry;
  const size = { sha256: 64, sha384: 96, sha512: 128 }[algorithm];
  if (size === undefined || typeof value !== "string" || value.length !== size || !/^[0-9a-f]+$/u.test(value))
    return doubt("the package's digest is not one");
  return integrityOfHex(algorithm, value);
}

function sourceSubjects({ commit, tree, package: source }: Attestation): unknown[] {
  if (source === null) return [{ name: "source", digest: { gitCommit: commit, gitTree: tree } }];
  return [
    { name: "source", uri: source.url, digest: digestSetOf(source.integrity) },
    { name: "lock", digest: { sha256: source.lock } },
  ];
}

/** The JSON of one statement. */
function statementOf(attestation: Attestation): unknown {
  const { name, version, method, digest, commit: _c, tree: _t, package: _p, time, tools, ...facts } = attestation;
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: "plan", digest: { sha256: digest } }, ...sourceSubjects(attestation)],
    predicateType: PREDICATE_TYPE,
    predicate: {
      verifier: { id: VERIFIER, version: { ipm: tools["ipm"] ?? "" } },
      timeVerified: time,
      resourceUri: resourceOf(name, version),
      policy: { uri: CHECKS },
      inputAttestations: [],
      verificationResult: "PASSED",
      verifiedLevels: [LEVEL],
      slsaVersion: "1.0",
      [FACTS]: { method, ...facts, tools },
    },
  };
}

function resourceOf(name: string, version: string): string {
  return `urn:ipm:tool:${name}@${version}`;
}

/**
 * An attestation file: one statement per method, sorted by the method's id. Equal statements give equal bytes.
 * A signature has its place beside them: `envelope`, one DSSE envelope over the canonical JSON of `statements`.
 */
export function formatAttestations(attestations: readonly Attestation[]): string {
  const sorted = attestations.toSorted((left, right) => (left.method < right.method ? -1 : 1));
  return `${JSON.stringify({ statements: sorted.map(statementOf) }, null, 2)}\n`;
}

/** What an attestation file must be about: its path says so. */
export interface AttestationPlace {
  readonly name: string;
  readonly version: string;
  readonly platform: string;
}

/** `<version>.<platform>.json`, the file's name below `packages/<name>/attestations/`. */
export function attestationFile(version: string, platform: string): string {
  return `${version}.${platform}.json`;
}

const PLATFORM = /^(?:linux-[a-z0-9]+-(?:glibc|musl)|macos-[a-z0-9]+)$/u;
/** Versions have dots; platforms have none. */
const FILE_NAME = /^(?<version>.+)\.(?<platform>[^.]+)\.json$/u;

/** Version and platform that a file's name says, or undefined when it is not the name of an attestation file. */
export function parseAttestationFileName(name: string): { version: string; platform: string } | undefined {
  const groups = FILE_NAME.exec(name)?.groups;
  const { version, platform } = groups ?? {};
  if (version === undefined || platform === undefined || !PLATFORM.test(platform)) return undefined;
  return { version, platform };
}

type Json = Readonly<Record<string, unknown>>;

/** A problem of an attestation, thrown and caught in this file only. */
class Doubt extends Error {}

function doubt(message: string): never {
  throw new Doubt(message);
}

function record(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return doubt(`${what} is not an object`);
  // oxlint-disable-next-line no-unsafe-type-assertion -- any object can be looked into as one of unknown values
  return value as Json;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string" || value.length > MAX_TEXT) return doubt(`${what} is not a short text`);
  if (escapeUntrusted(value) !== value) return doubt(`${what} holds a control character`);
  return value;
}

function whole(value: unknown, what: string): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : doubt(`${what} is no count`);
}

function list(value: unknown, what: string): unknown[] {
  return Array.isArray(value) && value.length <= MAX_LIST ? value : doubt(`${what} is not a short list`);
}

function texts(value: unknown, what: string): string[] {
  return list(value, what).map((item) => text(item, what));
}

function time(value: unknown): string {
  const written = text(value, "timeVerified");
  const isTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/u.test(written);
  return isTime && !Number.isNaN(Date.parse(written)) ? written : doubt(`timeVerified is not a UTC time: ${written}`);
}

function same(value: unknown, expected: string, what: string): void {
  if (value !== expected) doubt(`${what} is not ${expected}`);
}

function subjectOf(subjects: readonly unknown[], name: string): Json {
  const matching = subjects.map((item) => record(item, "a subject")).filter((subject) => subject["name"] === name);
  const [only] = matching;
  if (only === undefined || matching.length > 1) return doubt(`there is not exactly one subject "${name}"`);
  return only;
}

function digestOf(subjects: readonly unknown[], name: string): Json {
  return record(subjectOf(subjects, name)["digest"], `the digest of ${name}`);
}

/** The subject "source": a commit, or a package with its lock beside it. */
function readSource(subjects: readonly unknown[]): Pick<Attestation, "commit" | "tree" | "package"> {
  const source = digestOf(subjects, "source");
  const url = subjectOf(subjects, "source")["uri"];
  if (url === undefined) {
    return {
      commit: hex(source["gitCommit"], isCommitSha, "the source's commit"),
      tree: hex(source["gitTree"], isTreeSha, "the source's tree"),
      package: null,
    };
  }
  // A digest of a lock has the form of a plan's.
  const lock = hex(digestOf(subjects, "lock")["sha256"], isPlanDigest, "the lock's digest");
  return {
    commit: null,
    tree: null,
    package: { url: text(url, "the source's uri"), integrity: integrityOf(source), lock },
  };
}

function hex<Id extends string>(value: unknown, is: (text: string) => text is Id, what: string): Id {
  return typeof value === "string" && is(value) ? value : doubt(`${what} is not one`);
}

function readStatement(value: unknown, place: AttestationPlace): Attestation {
  const statement = record(value, "a statement");
  same(statement["_type"], STATEMENT_TYPE, "_type");
  same(statement["predicateType"], PREDICATE_TYPE, "predicateType");
  const subjects = list(statement["subject"], "subject");
  const predicate = record(statement["predicate"], "predicate");
  same(record(predicate["verifier"], "verifier")["id"], VERIFIER, "verifier.id");
  same(record(predicate["policy"], "policy")["uri"], CHECKS, "policy.uri");
  same(predicate["verificationResult"], "PASSED", "verificationResult");
  same(predicate["resourceUri"], resourceOf(place.name, place.version), "resourceUri");
  if (!texts(predicate["verifiedLevels"], "verifiedLevels").includes(LEVEL)) doubt(`verifiedLevels lacks ${LEVEL}`);
  const facts = record(predicate[FACTS], FACTS);
  same(facts["platform"], place.platform, "platform");
  const { isolation, reproducible } = facts;
  if (isolation !== "bubblewrap" && isolation !== "seatbelt") {
    return doubt("it ran without a sandbox, which verifies nothing");
  }
  const distribution = record(facts["distribution"], "distribution");
  const network = record(facts["network"], "network");
  const tools = Object.entries(record(facts["tools"], "tools"));
  if (tools.length > MAX_LIST) doubt("tools is not short");
  return {
    name: place.name,
    version: place.version,
    method: text(facts["method"], "method"),
    digest: hex(digestOf(subjects, "plan")["sha256"], isPlanDigest, "the plan digest"),
    ...readSource(subjects),
    platform: place.platform,
    distribution: {
      id: text(distribution["id"], "distribution"),
      version: text(distribution["version"], "distribution"),
    },
    tools: Object.fromEntries(
      tools.map(([tool, version]) => [
        text(tool, "a tool"),
        version === null ? null : text(version, "a tool's version"),
      ]),
    ),
    isolation,
    time: time(predicate["timeVerified"]),
    seconds: whole(facts["seconds"], "seconds"),
    bytes: whole(facts["bytes"], "bytes"),
    peakBytes: whole(facts["peakBytes"], "peakBytes"),
    files: whole(facts["files"], "files"),
    network: {
      declared: texts(network["declared"], "network.declared"),
      reached: texts(network["reached"], "network.reached"),
    },
    reproducible: typeof reproducible === "boolean" ? reproducible : null,
    checks: texts(facts["checks"], "checks"),
  };
}

export type AttestationsResult =
  | { readonly ok: true; readonly attestations: readonly Attestation[] }
  | { readonly ok: false; readonly why: string };

/**
 * Read an attestation file and check everything that does not need the plan: that each statement is of our format, of a
 * run that passed in a sandbox, and about what the file's path says. Never throws; keys that it does not know are ignored.
 */
export function parseAttestations(content: string, place: AttestationPlace): AttestationsResult {
  try {
    if (content.length > MAX_ATTESTATION_BYTES) doubt("it is too large");
    const statements = list(record(JSON.parse(content), "the file")["statements"], "statements");
    if (statements.length > MAX_STATEMENTS) doubt(`it has more than ${MAX_STATEMENTS} statements`);
    const attestations = statements.map((statement) => readStatement(statement, place));
    if (new Set(attestations.map(({ method }) => method)).size < attestations.length) doubt("it names a method twice");
    return { ok: true, attestations };
  } catch (error) {
    if (error instanceof Doubt) return { ok: false, why: error.message };
    if (error instanceof SyntaxError) return { ok: false, why: "it is not JSON" };
    throw error;
  }
}

/** What of an attestation decides and is shown: this is what an index keeps. */
export interface AttestationSummary extends Pick<
  Attestation,
  "version" | "method" | "digest" | "platform" | "distribution" | "tools" | "isolation" | "time" | "reproducible"
> {
  /** Path below the registry's root; null for a run of this machine. */
  readonly file: string | null;
}

export function summarize(attestation: Attestation, file: string | null): AttestationSummary {
  const { version, method, digest, platform, distribution, tools, isolation, time, reproducible } = attestation;
  return { version, method, digest, platform, distribution, tools, isolation, time, reproducible, file };
}

/** True for a summary as `summarize` makes one: for one that another program wrote. */
export function isAttestationSummary(value: unknown): value is AttestationSummary {
  if (!isRecord(value)) return false;
  const { version, method, digest, platform, distribution, tools, isolation, time, reproducible, file } = value;
  const isText = (text: unknown): text is string => typeof text === "string" && text.length <= MAX_TEXT;
  return (
    isText(version) &&
    isText(method) &&
    typeof digest === "string" &&
    isPlanDigest(digest) &&
    typeof platform === "string" &&
    PLATFORM.test(platform) &&
    isRecord(distribution) &&
    isText(distribution["id"]) &&
    isText(distribution["version"]) &&
    isRecord(tools) &&
    Object.keys(tools).length <= MAX_LIST &&
    Object.values(tools).every((tool) => tool === null || isText(tool)) &&
    (isolation === "bubblewrap" || isolation === "seatbelt") &&
    isText(time) &&
    /^\d{4}-\d\d-\d\dT[0-9:.]+Z$/u.test(time) &&
    (reproducible === null || typeof reproducible === "boolean") &&
    (file === null || isText(file))
  );
}
