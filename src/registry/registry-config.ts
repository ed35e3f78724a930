import path from "node:path";
import { z } from "zod";
import { IpmError } from "../core/errors.ts";
import { parseGitUrl } from "../core/git-url.ts";
import { isToolName, type ToolName } from "../core/ids.ts";
import { formatFinding, type FindingCode } from "../manifest/finding.ts";
import { parseFile } from "../manifest/parse-manifest.ts";
import type { PartialData, PathProblem } from "../manifest/validate.ts";
import { redactCredentials } from "../core/untrusted-text.ts";
import { staticUrl } from "../core/static-url.ts";
import type { RegistryConfig } from "./read-config.ts";

/** More than anybody needs; each is waited for when the others fail. */
const MAX_MIRRORS = 8;

type Issue = { readonly code: FindingCode; readonly message: string; readonly hint?: string } | undefined;

function text<Out extends string = string>(refuse: (value: string) => Issue): z.ZodType<Out, string> {
  const schema = z.string().check((context) => {
    const issue = refuse(context.value);
    if (issue === undefined) return;
    const params = { finding: issue.code, hint: issue.hint };
    context.issues.push({ code: "custom", input: context.value, message: issue.message, params, continue: true });
  });
  // oxlint-disable-next-line no-unsafe-type-assertion -- the check is what makes the text an `Out`
  return schema as unknown as z.ZodType<Out, string>;
}

function urlIssue(value: string): Issue {
  const result = parseGitUrl(value);
  if (result.ok) return undefined;
  const { message, suggestion } = result.problem;
  return {
    code: "INVALID_URL",
    message: `the URL ${message}`,
    ...(suggestion === undefined ? {} : { hint: `write it as ${redactCredentials(suggestion)}` }),
  };
}

/** A static registry's URL in the form that it is kept in. */
function staticIssue(value: string): Issue {
  const url = staticUrl(value);
  if (url === value) return undefined;
  return {
    code: "INVALID_URL",
    message: "the URL of a static registry begins with https://, and has no password, query or slash at its end",
    ...(url === undefined ? {} : { hint: `write it as ${url}` }),
  };
}

const configSchema = z.strictObject({
  registries: z
    .array(
      z.strictObject({
        id: text<ToolName>((value) =>
          isToolName(value)
            ? undefined
            : {
                code: "INVALID_NAME",
                message: "an id has lower case letters, digits and `. _ -`, at most 64 characters",
              },
        ),
        url: text(urlIssue).optional(),
        static: text(staticIssue).optional(),
        mirrors: z.array(text(staticIssue)).max(MAX_MIRRORS).optional(),
        folder: text((value) =>
          path.isAbsolute(value) && path.normalize(value) === value
            ? undefined
            : { code: "INVALID_PATH", message: "a folder must be an absolute path in normal form" },
        ).optional(),
      }),
    )
    .optional(),
});

function isMap(data: PartialData | undefined): data is { readonly [key: string]: PartialData | undefined } {
  return typeof data === "object" && !Array.isArray(data);
}

/** What concerns several keys: one place for each registry, and each id once. */
function checkConfig(data: PartialData): PathProblem[] {
  const problems: PathProblem[] = [];
  const registries = isMap(data) ? data["registries"] : undefined;
  if (!Array.isArray(registries)) return problems;
  const ids = new Set<string>();
  for (const [index, registry] of (registries as readonly (PartialData | undefined)[]).entries()) {
    if (!isMap(registry)) continue;
    const at = ["registries", index] as const;
    const places = ["url", "folder", "static"].filter((key) => registry[key] !== undefined);
    if (places.length !== 1) {
      const message = "a registry has one of `url`, `folder` and `static`";
      problems.push({ path: at, code: "CONFLICTING_KEYS", message });
    }
    if (registry["mirrors"] !== undefined && registry["static"] === undefined) {
      const message = "only a registry that is `static` has `mirrors`";
      problems.push({ path: [...at, "mirrors"], code: "CONFLICTING_KEYS", message });
    }
    const id = registry["id"];
    if (typeof id !== "string") continue;
    if (ids.has(id))
      problems.push({ path: [...at, "id"], code: "DUPLICATE_NAME", message: `the id \`${id}\` is used twice` });
    ids.add(id);
  }
  return problems;
}

/**
 * Parse `config.yaml`. A file without anything but comments is an empty configuration.
 * @throws IpmError CONFIG_INVALID with every problem as `file:line:column: code: message`
 */
export function parseConfig(content: string, file: string): RegistryConfig {
  if (/^(?:\s*(?:#[^\n]*)?(?:\n|$))*$/u.test(content)) return { registries: [] };
  const { value, findings } = parseFile(Buffer.from(content), file, configSchema, checkConfig);
  if (value === undefined) {
    throw new IpmError("CONFIG_INVALID", findings.map(formatFinding).join("\n"), {
      hint: `correct ${file}, or move it away`,
      data: { path: file, findings },
    });
  }
  return {
    registries: (value.registries ?? []).map(({ id, url, folder, static: published, mirrors }) => {
      if (url !== undefined) return { id, kind: "git", location: url };
      if (published === undefined) return { id, kind: "folder", location: folder ?? "" };
      return { id, kind: "static", location: published, ...(mirrors === undefined ? {} : { mirrors }) };
    }),
  };
}
