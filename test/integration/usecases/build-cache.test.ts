import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { buildCacheOf } from "../../../src/usecases/build-cache.ts";
import { collectGarbage } from "../../../src/usecases/gc.ts";
import { reinstall } from "../../../src/usecases/reinstall.ts";
import { uninstall } from "../../../src/usecases/uninstall.ts";
import { type Installed, installRepository } from "../../helpers/recipe-repository.ts";
import { OPTIONS } from "../../helpers/test-ipm.ts";
import { samplePlan } from "../../helpers/sample-plan.ts";

const programs = { go: "#!/bin/sh\necho go version go1.26.0 linux/amd64\n" };
/** Notes each build in Go's cache, and fails when the cache holds something wrong. */
const STEP = `'mkdir -p "$GOCACHE"; test ! -e "$GOCACHE/wrong"; echo built >> "$GOCACHE/builds"; cp "$GOCACHE/builds" "$IPM_PREFIX/builds"; mkdir "$IPM_PREFIX/bin"; cp sample "$IPM_PREFIX/bin/"'`;

function installed(now?: () => Date): Promise<Installed> {
  const manifest = `requires: [{ tool: go }]\nsteps: [{ run: ${STEP} }]\nbin: [sample]\n`;
  const files = { sample: { run: "#!/bin/sh\n" } };
  return installRepository(files, manifest, { programs, ...(now === undefined ? {} : { now }) });
}

/** Folders of build caches. */
function caches({ context }: Installed): string[] {
  const folder = path.join(context.host.homes.cache, "builds");
  return existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
}

function buildsOf({ layout }: Installed): number {
  const entries = readdirSync(path.join(layout.store, "sample")).toSorted((a, b) => a.length - b.length);
  return (
    readFileSync(path.join(layout.store, "sample", entries.at(-1)!, "prefix/builds"), "utf8").split("built").length - 1
  );
}

test("the next build of a tool finds what the one before has kept; --purge takes it away", async () => {
  const ipm = await installed();
  expect(buildsOf(ipm)).toBe(1);
  await reinstall(ipm.context, "sample", OPTIONS);
  expect(buildsOf(ipm)).toBe(2);
  await uninstall(ipm.context, ["sample"], { purge: true });
  expect(caches(ipm)).toEqual([]);
});

test("after a failure the next build begins with nothing", async () => {
  const ipm = await installed();
  writeFileSync(path.join(caches(ipm)[0]!, "steps/go/wrong"), "");
  await expect(reinstall(ipm.context, "sample", OPTIONS)).rejects.toMatchObject({ code: "STEP_FAILED" });
  expect(caches(ipm)).toEqual([]);
  await reinstall(ipm.context, "sample", OPTIONS);
  expect(buildsOf(ipm)).toBe(1);
});

test("gc takes it when nothing was built with it for a month", async () => {
  let now = new Date();
  const ipm = await installed(() => now);
  await collectGarbage(ipm.context, { keep: 3, dryRun: false });
  expect(caches(ipm)).toHaveLength(1);
  now = new Date(now.getTime() + 31 * 24 * 60 * 60 * 1000);
  const { removed } = await collectGarbage(ipm.context, { keep: 3, dryRun: false });
  expect(removed.map(({ name }) => name.replace(/[0-9a-f]{12}$/u, ""))).toContain("builds/sample-");
  expect(caches(ipm)).toEqual([]);
});

test("another registry's entry, or another source, of the same name has a cache of its own", () => {
  const homes = { data: "/data", cache: "/cache", config: "/config" };
  const plan = samplePlan();
  const places = [
    plan,
    { ...plan, origin: { ...plan.origin, registry: "another" } },
    { ...plan, origin: { ...plan.origin, registry: null } },
    { ...plan, origin: { ...plan.origin, source: "https://example.org/fork.git" } },
  ].map((one) => buildCacheOf({ homes }, one));
  expect(new Set(places).size).toBe(places.length);
});
