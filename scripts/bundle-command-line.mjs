// Bundles the command line so that each command loads little, in few files (docs/decisions/0002-bundled-commonjs.md).
// bin/ipm.cjs is the other half: it loads what is written here.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import path from "node:path";
import { build, transform } from "esbuild";

/**
 * The bundles, in order: what these modules need and no earlier bundle holds. Everything else that is imported on demand
 * becomes a part of its own. A module is in one place only, so it has one state however it is reached.
 */
const BUNDLES = [
  {
    // What `ipm list` loads. Every kilobyte costs each command.
    file: "ipm.cjs",
    entries: [
      "src/cli/main.ts",
      "src/cli/commands/list.ts",
      "src/cli/composition.ts",
      "src/usecases/list.ts",
      "src/usecases/withdrawn.ts",
      "src/cli/render/tool-list.ts",
      "src/cli/render/field.ts",
    ],
  },
  {
    // The commands that are called most often, when they are called without flags, and looking up names: what `ipm show`
    // loads, `ipm install` of what is there, `ipm list` when it asks the registries.
    file: "frequent.cjs",
    entries: [
      "src/cli/frequent-commands.ts",
      "src/usecases/show.ts",
      "src/cli/render/show.ts",
      "src/usecases/installed-already.ts",
      "src/usecases/find-withdrawn.ts",
      "src/cli/render/unchanged.ts",
    ],
  },
  {
    file: "errors.cjs",
    entries: ["src/cli/render/error.ts", "src/core/canonical-json.ts"],
  },
  {
    // What every other command is understood with, and help.
    file: "commands.cjs",
    entries: ["src/cli/program.ts", "src/cli/render/help.ts"],
  },
  {
    // What tells the story at a terminal, which every command loads there.
    file: "terminal.cjs",
    entries: ["src/cli/reporters/tty.ts"],
  },
  {
    // Looking up anything else than a name.
    file: "search.cjs",
    entries: [
      "src/usecases/search.ts",
      "src/cli/render/search.ts",
      "src/registry/search-reader.ts",
      "src/registry/search-registries.ts",
    ],
  },
  {
    // Registries of config.yaml.
    file: "configured.cjs",
    entries: ["src/registry/open-folder.ts", "src/registry/open-git.ts", "src/registry/see-folder.ts"],
  },
  {
    file: "static.cjs",
    entries: ["src/registry/open-static.ts"],
  },
  {
    // Another set of what is built already.
    file: "change.cjs",
    entries: ["src/usecases/rollback.ts", "src/usecases/hold.ts", "src/cli/render/changes.ts", "src/host/processes.ts"],
  },
  {
    // Whatever builds tools; manifests that have to be parsed need more.
    file: "install.cjs",
    entries: [
      "src/usecases/install.ts",
      "src/usecases/upgrade.ts",
      "src/usecases/uninstall.ts",
      "src/usecases/run-tool.ts",
      "src/cli/render/install-result.ts",
      "src/host/git.ts",
      "src/sandbox/create-sandbox.ts",
    ],
  },
];

const MINIFIED = {
  platform: "node",
  target: "node20.19",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  charset: "ascii",
  logLevel: "warning",
};

const isBuiltin = (name) => name.startsWith("node:") || builtinModules.includes(name);

/** Modules and their imports, as written: `static` by `import … from`, `dynamic` by `import()`. */
async function readGraph(options, entry) {
  const { metafile } = await build({
    ...options,
    format: "esm",
    splitting: true,
    entryPoints: [entry],
    outdir: "unused",
    write: false,
    metafile: true,
  });
  const graph = new Map();
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    const own = imports.filter((imported) => imported.external !== true);
    const targets = (isDynamic) =>
      own.filter(({ kind }) => (kind === "dynamic-import") === isDynamic).map(({ path: target }) => target);
    graph.set(file, { static: targets(false), dynamic: targets(true) });
  }
  return graph;
}

/** Which bundle holds which module. */
function assignBundles(graph) {
  const homes = new Map();
  for (const { file, entries } of BUNDLES) {
    const add = (module) => {
      if (homes.has(module)) return;
      if (!graph.has(module)) throw new Error(`${file}: there is no module ${module}`);
      homes.set(module, file);
      for (const target of graph.get(module).static) add(target);
    };
    for (const entry of entries) add(entry);
  }
  return homes;
}

/** `parts/usecases-gc.cjs` of `src/usecases/gc.ts`, `parts/ora.cjs` of a package. */
function partOf(module) {
  const name =
    /^src\/(.*)\.ts$/u.exec(module)?.[1] ?? /^.*\bnode_modules\/((?:@[^/]+\/)?[^/]+)/u.exec(module)?.[1] ?? module;
  return `parts/${name.replaceAll("/", "-")}.cjs`;
}

/**
 * Leave imports of what is in another file to the loader, which knows `ipm.cjs#src/core/errors.ts` (a module of a bundle)
 * and `parts/usecases-gc.cjs`.
 * @param own the bundle that is being made, or null for the parts
 */
function linkFiles(root, homes, own) {
  return {
    name: "link-files",
    setup(building) {
      building.onResolve({ filter: /^/ }, async ({ path: specifier, pluginData, kind, ...from }) => {
        if (pluginData === "resolving" || kind === "entry-point" || isBuiltin(specifier)) return undefined;
        if (from.importer.includes("node_modules")) return undefined;
        const resolved = await building.resolve(specifier, { ...from, kind, pluginData: "resolving" });
        if (resolved.errors.length > 0 || resolved.external) return resolved;
        const module = path.relative(root, resolved.path);
        const home = homes.get(module);
        const isDynamic = kind === "dynamic-import";
        if (home !== undefined && (home !== own || isDynamic)) return { path: `${home}#${module}`, external: true };
        return own !== null && isDynamic ? { path: partOf(module), external: true } : resolved;
      });
    },
  };
}

/** Code as bin/ipm.cjs loads it. */
function asModule(code, id) {
  // One byte a character: read and compiled without decoding. esbuild leaves regular expressions as they are.
  const ascii = code.replaceAll(/[^\0-\x7F]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `/*${id}*/(function(exports,require,module,builtin){"use strict";${ascii}\n})`;
}

/** What esbuild makes of `import … from "node:fs"` copies every function of it, once in each module that has one. */
function leaveBuiltins(code) {
  const name = `"((?:node:)?(?:${builtinModules.join("|")}))"`;
  return (
    code
      .replace(new RegExp(`__toESM\\(require\\(${name}\\)(?:, ?1)?\\)`, "gu"), 'builtin("$1")')
      .replace(new RegExp(`\\b(import_\\w+ ?= ?)require\\(${name}\\)`, "gu"), '$1builtin("$2")')
      // Files of ours have no other shape for importers of other kinds: what they export is not copied.
      .replace(/__toESM\((require\("[^"]+\.cjs(?:#[^"]*)?"\))\)/gu, "$1")
  );
}

/**
 * The table of all errors is for docs/errors.md, and would be a quarter of what `ipm --version` loads: of it the exit codes
 * are left, as a text that is read when something fails.
 */
function leaveOutErrorTable() {
  return {
    name: "leave-out-error-table",
    setup(building) {
      building.onLoad({ filter: /src\/core\/errors\.ts$/ }, async ({ path: file }) => {
        const text = await readFile(file, "utf8");
        const [whole, table] = /^export const ERRORS = \{\n([\s\S]*?)^\} as const satisfies .*;\n/mu.exec(text) ?? [];
        const use = "return ERRORS[code].exit;";
        const codes = [...(table ?? "").matchAll(/^ {2}(\w+): \{\n {4}exit: EXIT\.(\w+),/gmu)];
        if (codes.length === 0 || codes.length !== table.match(/^ {2}\S/gmu).length / 2 || !text.includes(use))
          throw new Error(`${file} has another shape: its table was not found`);
        const exits = JSON.stringify(Object.fromEntries(codes.map(([, code, exit]) => [code, exit])));
        const contents = text
          .replace(whole, "")
          .replace(use, `return EXIT[JSON.parse(${JSON.stringify(exits)})[code]];`);
        return { contents, loader: "ts" };
      });
    },
  };
}

/** Several modules of a bundle import the same module of another file: it is looked up once. */
function importOnce(code) {
  const first = new Map();
  return code.replace(/\b(import_\w+)=require\(("[^"]+\.cjs#[^"]+")\)/gu, (whole, name, specifier) => {
    if (!first.has(specifier)) first.set(specifier, name);
    return first.get(specifier) === name ? whole : `${name}=${first.get(specifier)}`;
  });
}

/**
 * What esbuild makes of exports is a getter each, for modules and for what they export, all made when the bundle is loaded.
 * Here a bundle exports one function, which gives the exports of a module by its name, and makes the object when it is asked
 * for: by then the bundle has run, and what a module exports does not change.
 */
function exportLazily(code) {
  const [whole, modules] = /__export\(stdin_exports,\{([^{}]*)\}\);module\.exports=stdin_exports;/u.exec(code) ?? [];
  if (whole === undefined) throw new Error("esbuild exports in another way");
  let lazy = code.replace("var stdin_exports={};", "");
  const cases = [...modules.matchAll(/("[^"]+"):\(\)=>(\w+)/gu)].map(([, module, name]) => {
    const made = new RegExp(`\\bvar ${name}=\\{\\};__export\\(${name},\\{([^{}]*)\\}\\);`, "u").exec(lazy);
    const isImportedWhole = code.split(new RegExp(`\\b${name}\\b`, "u")).length !== 4;
    if (made === null || isImportedWhole) return `case ${module}:return ${name};`;
    lazy = lazy.replace(made[0], () => `var ${name};`);
    return `case ${module}:return ${name}??={${made[1].replaceAll(":()=>", ":")}};`;
  });
  return lazy.replace(whole, () => `module.exports=module=>{switch(module){${cases.join("")}}};`);
}

async function makeBundle(options, { file, homes }) {
  const modules = [...homes].filter(([, home]) => home === file).map(([module]) => module);
  const lines = modules.map((module) => `export * as ${JSON.stringify(module)} from ${JSON.stringify(`./${module}`)};`);
  const { outputFiles } = await build({
    ...options,
    format: "cjs",
    supported: { "dynamic-import": false },
    stdin: { contents: lines.join("\n"), resolveDir: options.absWorkingDir },
    plugins: [linkFiles(options.absWorkingDir, homes, file), leaveOutErrorTable()],
    write: false,
  });
  // Not a copy of the exports for importers of other kinds: sources of ours have no default export.
  const code = outputFiles[0].text.replace(/\bmodule\.exports=__toCommonJS\((\w+)\)/u, "module.exports=$1");
  return exportLazily(importOnce(leaveBuiltins(code)));
}

/**
 * What is imported on demand and in no bundle, a file each, and what several of them share. esbuild splits ES modules
 * only, so each is turned into CommonJS afterwards.
 * @returns code by file
 */
async function makeParts(options, { graph, homes }) {
  const targets = new Set([...graph.values()].flatMap(({ dynamic }) => dynamic));
  const entryPoints = [...targets]
    .filter((module) => !homes.has(module))
    .map((module) => ({ in: module, out: partOf(module).replace(/\.cjs$/u, "") }));
  const { outputFiles } = await build({
    ...options,
    format: "esm",
    splitting: true,
    entryPoints,
    outdir: options.absWorkingDir,
    outExtension: { ".js": ".cjs" },
    chunkNames: "parts/[name]-[hash]",
    plugins: [linkFiles(options.absWorkingDir, homes, null)],
    write: false,
  });
  const codes = new Map();
  for (const { path: absolute, text } of outputFiles) {
    const { code } = await transform(text, { ...MINIFIED, format: "cjs", supported: { "dynamic-import": false } });
    const file = path.relative(options.absWorkingDir, absolute);
    const folder = path.dirname(file);
    const linked = code.replace(/\brequire\("(\.[^"]+\.cjs)"\)/gu, (_, specifier) => {
      return `require(${JSON.stringify(path.join(folder, specifier))})`;
    });
    codes.set(file, leaveBuiltins(linked));
  }
  return codes;
}

/**
 * Write the bundles and parts of the command line.
 * @param root the package's folder
 * @param folder where to write them
 * @param define texts that are replaced in the sources
 * @returns the source files and package files that went in
 */
export async function bundleCommandLine(root, folder, define) {
  const options = { ...MINIFIED, absWorkingDir: root, bundle: true, define };
  const graph = await readGraph(options, "src/cli/main.ts");
  const homes = assignBundles(graph);
  const codes = await makeParts(options, { graph, homes });
  for (const { file } of BUNDLES) codes.set(file, await makeBundle(options, { file, homes }));
  const id = createHash("sha256")
    .update([...codes.values()].join("\0"))
    .digest("hex")
    .slice(0, 16);
  await mkdir(path.join(folder, "parts"), { recursive: true });
  for (const [file, code] of codes) await writeFile(path.join(folder, file), asModule(code, id));
  return [...graph.keys()];
}
