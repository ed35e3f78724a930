import { describe, expect, test } from "vitest";
import { type UpdatedIndex, updateIndex } from "../../../src/registry/update-index.ts";
import { compileIndex } from "../../../src/registry/compile-index.ts";
import { IndexFile, bytesAsFile } from "../../../src/registry/index-file.ts";
import { RegistryIndex } from "../../../src/registry/registry-index.ts";
import { attestedEntry, type RegistryTree, type TreeFile } from "../../../src/registry/registry-tree.ts";
import { generateTools, seededRandom } from "../../helpers/generated-registry.ts";
import { manifestYaml, registryYaml } from "../../helpers/registry-folder.ts";

/** A registry in memory. */
function treeOf(files: ReadonlyMap<string, string>): RegistryTree {
  const treeFile = (path: string): TreeFile => {
    const text = files.get(path) ?? "";
    return { path, kind: "file", size: text.length, stamp: text, changedMs: 0 };
  };
  return {
    where: "memory",
    list: async (names) =>
      [...files.keys()]
        .filter((path) => path === "registry.yaml" || path.endsWith("/manifest.yaml") || attestedEntry(path))
        .filter((path) => path === "registry.yaml" || (names?.includes(path.split("/")[1] ?? "") ?? true))
        .toSorted()
        .map(treeFile),
    read: async (wanted) => wanted.map(({ path }) => Buffer.from(files.get(path) ?? "")),
    find: async (path) => (files.has(path) ? treeFile(path) : undefined),
  };
}

/** An index, brought up to date step by step. */
class Kept {
  layers: readonly Uint8Array[];

  constructor(bytes: Uint8Array) {
    this.layers = [bytes];
  }

  get index(): RegistryIndex {
    return new RegistryIndex(this.layers.map((bytes) => new IndexFile(bytesAsFile(bytes))));
  }

  take({ kept, bytes }: UpdatedIndex): void {
    this.layers = [...this.layers.slice(0, kept), ...(bytes === null ? [] : [bytes])];
  }
}

const KINDS = ["name", "broken", "alias", "formerly", "source", "former-source", "removed"] as const;

describe("an index that is brought up to date", () => {
  test("answers as one that was made anew, after many changes, clashing names among them", async () => {
    const random = seededRandom(3);
    const tools = generateTools(510, 2).map(({ name, summary }) => ({ name, summary }));
    const pool = [...generateTools(60, 9).map(({ name }) => name), ...tools.slice(0, 60).map(({ name }) => name)];
    const pick = (): string => pool[Math.floor(random() * pool.length)] ?? "x";
    const path = (name: string): string => `packages/${name}/manifest.yaml`;
    const files = new Map([
      ["registry.yaml", registryYaml("main", "removed: { stolen: it stole }\n")],
      ["sources/a.bundle", "bundle"],
      ...tools.map(({ name, summary }) => [path(name), manifestYaml({ name, summary })] as const),
    ]);
    const kept = new Kept((await compileIndex(treeOf(files), { key: "0" })).bytes);
    let most = 1;
    for (let round = 1; round <= 16; round++) {
      const names = new Set<string>();
      let all = false;
      for (let change = 0; change < 1 + random() * 4; change++) {
        const name = pick();
        names.add(name);
        const what = random();
        if (what < 0.2) files.delete(path(name));
        else if (what < 0.3) files.set(path(name), "broken: true\n");
        else if (what < 0.4) files.set(path(name), manifestYaml({ name, bundle: "sources/a.bundle" }));
        else if (what < 0.6) files.set(path(name), manifestYaml({ name, more: `aliases: [${pick()}-x, ${pick()}]\n` }));
        else if (what < 0.7) files.set(path(name), manifestYaml({ name, more: "aliases: [stolen]\n" }));
        else
          files.set(
            path(name),
            manifestYaml({
              name,
              summary: `Round ${round} of ${pick()}`,
              git: `https://github.com/owner/${pick()}.git`,
            }),
          );
      }
      if (round === 10 || round === 12) {
        all = true;
        if (round === 10) files.delete("sources/a.bundle");
        else files.set("sources/a.bundle", "bundle");
      }
      const tree = treeOf(files);
      const updated = await updateIndex(tree, kept.index, { names, all }, { key: String(round) });
      expect(updated).toBeDefined();
      if (updated !== undefined) kept.take(updated);
      most = Math.max(most, kept.layers.length);
      if (round % 4 !== 0 && round !== 10) continue;
      const whole = await compileIndex(tree, { key: String(round) });
      const { index } = kept;
      const anew = new RegistryIndex([new IndexFile(bytesAsFile(whole.bytes))]);
      expect(index.meta).toEqual(anew.meta);
      for (const name of new Set([...pool, ...pool.map((each) => `${each}-x`), "stolen", "nothing"])) {
        expect([name, index.find(name, KINDS)]).toEqual([name, anew.find(name, KINDS)]);
        const source = `github.com/owner/${name}`;
        const names1 = index
          .find(source, KINDS)
          .map(({ record }) => JSON.stringify(record))
          .toSorted();
        const names2 = anew
          .find(source, KINDS)
          .map(({ record }) => JSON.stringify(record))
          .toSorted();
        expect(names1).toEqual(names2);
      }
      for (const query of [pick(), `round ${round}`, pick().slice(0, 4), "obsolete", "bundle tool", "rund"])
        expect([query, await index.search(query, 20)]).toEqual([query, await anew.search(query, 20)]);
      expect(await index.nearestNames(`${pick()}q`, 3)).toBeDefined();
    }
    // Otherwise layers were not what was compared.
    expect(most).toBeGreaterThan(1);
  });

  test("a change of names that were taken out, and too many broken entries, are left to a full compilation", async () => {
    const files = new Map([
      ["registry.yaml", registryYaml("main")],
      ["packages/one/manifest.yaml", manifestYaml({ name: "one" })],
    ]);
    const kept = new Kept((await compileIndex(treeOf(files), { key: "0" })).bytes);
    files.set("registry.yaml", registryYaml("main", "removed: { one: gone }\n"));
    const change = { names: new Set<string>(), all: false };
    expect(await updateIndex(treeOf(files), kept.index, change, { key: "1" })).toBeUndefined();
    files.set("registry.yaml", registryYaml("main"));
    for (let at = 0; at < 100; at++) files.set(`packages/bad-${at}/manifest.yaml`, "no: thing\n");
    const many = new Kept((await compileIndex(treeOf(files), { key: "0" })).bytes);
    expect(await updateIndex(treeOf(files), many.index, change, { key: "1" })).toBeUndefined();
  });

  test("nothing that changed leaves every layer as it is", async () => {
    const files = new Map([
      ["registry.yaml", registryYaml("main")],
      ["packages/one/manifest.yaml", manifestYaml({ name: "one" })],
    ]);
    const kept = new Kept((await compileIndex(treeOf(files), { key: "0" })).bytes);
    const same = await updateIndex(treeOf(files), kept.index, { names: new Set(), all: false }, { key: "1" });
    expect(same).toMatchObject({ kept: 1, bytes: null });
  });
});
