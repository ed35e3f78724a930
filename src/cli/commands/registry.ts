import { escapeUntrusted } from "../../core/untrusted-text.ts";
import type { CommandSpec } from "../command.ts";
import { LOCK_TIMEOUT, readLockTimeout } from "./plan-options.ts";

export const registryAddCommand: CommandSpec = {
  name: "registry add",
  operands: "URL-OR-FOLDER",
  group: "Registries",
  summary: "use one more registry",
  examples: [
    ["ipm registry add https://example.org/our-registry.git", "a registry in a git repository"],
    ["ipm registry add https://registry.example.org/tools", "a static one, made by `ipm registry build`"],
    ["ipm registry add ./our-registry", "a folder, read as it is"],
  ],
  about: [
    "A URL that does not end with `.git` is asked for a static registry first, then as a git repository.",
    "A static registry is served by https (by http from this machine itself). Mirrors are tried in their order.",
  ],
  options: [
    { flags: "--mirror URL", says: "where a static registry is served from as well; may be repeated", repeats: true },
    LOCK_TIMEOUT,
  ],
  json: "{id, name, kind, location, mirrors?, entries, findings, configFile}",
  completes: "files",
  run: async (session, invocation) => {
    const { addRegistry } = await import("../../usecases/registries.ts");
    const result = await addRegistry(
      await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) }),
      invocation.operand,
      invocation.texts("mirror"),
    );
    const { renderAdded } = await import("../render/registries.ts");
    return { result, render: (theme) => renderAdded(result, theme) };
  },
};

export const registryRemoveCommand: CommandSpec = {
  name: "registry remove",
  operands: "ID",
  group: "Registries",
  summary: "stop using a registry; what came from it stays installed",
  examples: [["ipm registry remove our-registry", "`ipm registry list` shows the ids"]],
  options: [LOCK_TIMEOUT],
  json: "{id, kind, location}",
  run: async (session, invocation) => {
    const { removeRegistry } = await import("../../usecases/registries.ts");
    const result = await removeRegistry(
      await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) }),
      invocation.operand,
    );
    return {
      result,
      render: (theme) => [
        `${theme.good(theme.symbols.done)} registry ${theme.strong(escapeUntrusted(result.id))} is no longer used`,
      ],
    };
  },
};

export const registryListCommand: CommandSpec = {
  name: "registry list",
  operands: "",
  group: "Registries",
  summary: "the registries in use, in the order in which they are asked",
  examples: [["ipm registry list", "id, kind, where it is, how many entries"]],
  json: "[{id, kind, location, name, entries, sequence, commit, fetched, used, problem}]",
  run: async (session) => {
    const { listRegistries } = await import("../../usecases/registries.ts");
    const { renderRegistries } = await import("../render/registries.ts");
    const { describeError } = await import("../render/error.ts");
    const registries = await listRegistries(await session.openContext({ writes: false }));
    // An Error has no JSON of its own.
    const result = registries.map((registry) => ({
      ...registry,
      problem: registry.problem === null ? null : describeError(registry.problem),
    }));
    return { result, render: (theme) => renderRegistries(registries, theme) };
  },
};

export const registryBuildCommand: CommandSpec = {
  name: "registry build",
  operands: "DIR",
  group: "Registries",
  summary: "make the folder that serves a registry from any web server",
  examples: [
    ["ipm registry build .", "writes ./public; upload it, then: ipm registry add https://…"],
    ["ipm registry build ./registry --out ./site/registry", "over the last build: only what changed is added"],
  ],
  about: [
    "Every file but ipm-registry.json is named by its content and never changes, so that it may be cached for ever.",
    "Build into the folder of the publication before: its number goes up by one, and whoever has that one fetches little.",
    "An entry with an error refuses the build. docs/hosting.md has web servers, mirrors and CI.",
  ],
  options: [
    { flags: "--out DIR", says: "where to write; default ./public" },
    { flags: "--sequence N", says: "number of the publication; default: one more than the last" },
  ],
  json: "{id, name, out, entries, sequence, changed, changes: {added, changed, removed}|null, written, bytes, firstCopy, update, findings}",
  completes: "files",
  run: async (session, invocation) => {
    const { buildRegistry } = await import("../../usecases/build-registry.ts");
    const { renderPublished } = await import("../render/registries.ts");
    const sequence = invocation.whole("sequence", 1);
    const result = await buildRegistry(
      await session.openContext({ writes: false }),
      invocation.operand,
      invocation.text("out") ?? "public",
      sequence === undefined ? {} : { sequence },
    );
    return { result, render: (theme) => renderPublished(result, theme) };
  },
};
