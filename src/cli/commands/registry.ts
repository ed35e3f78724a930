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
    ["ipm registry add ./our-registry", "a folder, read as it is"],
  ],
  options: [LOCK_TIMEOUT],
  json: "{id, name, kind, location, entries, findings, configFile}",
  completes: "files",
  run: async (session, invocation) => {
    const { addRegistry } = await import("../../usecases/registries.ts");
    const result = await addRegistry(
      await session.openContext({ writes: true, lockTimeoutMs: readLockTimeout(invocation) }),
      invocation.operand,
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
