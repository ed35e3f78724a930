import { IpmError } from "../core/errors.ts";
import { forgeUrl, isRefName, parseGitUrl } from "../core/git-url.ts";
import { isToolName } from "../core/ids.ts";
import { escapeUntrusted, redactCredentials } from "../core/untrusted-text.ts";
import { type NameTarget, nameTarget, splitRef } from "./name-target.ts";

/** What a TARGET on the command line means, before anything is looked up. */
export type Target =
  | NameTarget
  | {
      readonly kind: "git";
      /** In normal form; https, ssh or file. */
      readonly url: string;
      /** Branch, tag, full ref or commit as typed. */
      readonly ref: string | null;
    }
  /** A folder or a manifest file, as typed: not resolved, `~` not replaced. */
  | { readonly kind: "path"; readonly path: string };

const HOW = "write one of: NAME, NAME@VERSION, REGISTRY:NAME, OWNER/REPO, https://…, ./FOLDER";

/** Characters of a refused target in a message: what has no end is not thrown back at the terminal whole. */
const MAX_SHOWN = 120;

function invalid(text: string, why: string, hint: string = HOW): IpmError {
  const whole = Array.from(redactCredentials(text));
  const shown = escapeUntrusted(whole.slice(0, MAX_SHOWN).join("")) + (whole.length > MAX_SHOWN ? "…" : "");
  return new IpmError("TARGET_INVALID", `${shown === "" ? "an empty target" : `the target ${shown}`} ${why}`, {
    hint,
    data: { target: shown },
  });
}

function chooseRef(text: string, typed: string | null, flag: string | null): string | null {
  if (typed !== null && flag !== null) {
    throw new IpmError("USAGE", `the target ${escapeUntrusted(text)} and --ref both name a ref`, {
      hint: "give one of the two",
    });
  }
  const ref = typed ?? flag;
  if (ref !== null && !isRefName(ref)) {
    throw invalid(
      text,
      `asks for "${escapeUntrusted(ref)}", which is no branch, tag or commit`,
      "give a branch, a tag or a full commit id",
    );
  }
  return ref;
}

function refuseRef(text: string, flag: string | null, instead: string): void {
  if (flag === null) return;
  throw new IpmError("USAGE", `--ref does not go with ${escapeUntrusted(text)}: it is for OWNER/REPO and URLs`, {
    hint: instead,
  });
}

function parseUrlTarget(text: string, flag: string | null): Target {
  const { place, ref } = splitRef(text);
  const parsed = parseGitUrl(place);
  if (parsed.ok) return { kind: "git", url: place, ref: chooseRef(text, ref, flag) };
  const { kind, message, suggestion } = parsed.problem;
  if (kind === "credentials") {
    throw new IpmError("SOURCE_REFUSED", `the URL ${escapeUntrusted(redactCredentials(place))} ${message}`, {
      hint: "leave the password out; configure a git credential helper instead",
    });
  }
  throw invalid(
    place,
    message,
    suggestion === undefined ? HOW : `write ${escapeUntrusted(redactCredentials(suggestion))}`,
  );
}

function parseForgeTarget(text: string, flag: string | null): Target {
  const { place, ref } = splitRef(text);
  const url = forgeUrl(place);
  if (url !== null) return { kind: "git", url, ref: chooseRef(text, ref, flag) };
  const slashed = /^([^/@]+\/[^/@]+)@(.+)$/u.exec(text);
  if (slashed?.[1] !== undefined && slashed[2] !== undefined && forgeUrl(slashed[1]) !== null) {
    const [shown, shownRef] = [slashed[1], slashed[2]].map(escapeUntrusted);
    throw invalid(text, "has a ref with a slash", `write ${shown} --ref ${shownRef}`);
  }
  throw invalid(text, "is no OWNER/REPO", `${HOW}; a folder begins with ./`);
}

function parseNameTarget(text: string, flag: string | null): Target {
  const target = nameTarget(text);
  if (target !== undefined) {
    refuseRef(text, flag, `write ${target.name}@VERSION`);
    return target;
  }
  const { place } = splitRef(text);
  const [first = "", second, ...others] = place.split(":");
  if (others.length > 0 || (second !== undefined && !isToolName(first))) throw invalid(text, "is no REGISTRY:NAME");
  const name = second ?? first;
  if (!isToolName(name)) {
    const lower = name.toLowerCase();
    const instead = isToolName(lower) ? `write ${lower}: names are in lower case` : HOW;
    throw invalid(text, "is not a name that a tool can have", instead);
  }
  throw invalid(text, "does not end in a version");
}

/**
 * Read one TARGET: `name`, `name@version`, `registry:name`, `owner/repo[@ref]` (always the forge), a git URL with `[@ref]`,
 * or a path, which starts with `.`, `/` or `~`. A ref is what follows the last `@` after the last `/` or `:`.
 * Pure: nothing is looked up, and a folder called `ripgrep` never hides the tool.
 * @param ref the value of `--ref`, for refs that hold a slash
 * @throws IpmError TARGET_INVALID, USAGE (a ref twice, or where none can be), SOURCE_REFUSED (a password in the URL)
 */
export function parseTarget(text: string, ref: string | null = null): Target {
  if (/^[./~]/u.test(text)) {
    refuseRef(text, ref, "check the ref out in the folder, or name it as file:///FOLDER");
    if (text.includes("\0")) throw invalid(text, "holds a NUL character");
    return { kind: "path", path: text };
  }
  if (text.startsWith("-")) throw invalid(text, "begins with a dash");
  if (text.includes("://") || text.includes("::") || /^[^/:]*@[^/:]*:/u.test(text)) return parseUrlTarget(text, ref);
  return text.includes("/") ? parseForgeTarget(text, ref) : parseNameTarget(text, ref);
}
