import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type FileSpec, GitRepository, runGit } from "./git-repository.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { type TestIpm, type TestIpmOptions, createTestIpm } from "./test-ipm.ts";

export interface Release {
  readonly version: string;
  readonly files: Readonly<Record<string, FileSpec>>;
  /** Submodules: path to the commit that the tree names. */
  readonly links?: Readonly<Record<string, string>>;
}

/** The address under which the repository of a site is in its registry; the user's git configuration leads it there. */
export const COURSE_URL = "https://git.example.org/school/course.git";

/** A repository that is worked in, a registry with its entry `course`, and an ipm of a user who can reach both. */
export class WorkspaceSite {
  readonly folder: string;
  readonly upstream: GitRepository;
  ipm!: TestIpm;
  readonly #steps: string;
  readonly #versions: string[] = [];

  private constructor(steps: string) {
    this.folder = temporaryFolder();
    this.upstream = new GitRepository(path.join(this.folder, "upstream"));
    this.#steps = steps;
  }

  /** @param steps what follows the versions in the manifest: steps, tests, … */
  static async open(releases: readonly Release[], steps: string, options: TestIpmOptions = {}): Promise<WorkspaceSite> {
    const site = new WorkspaceSite(steps);
    for (const release of releases) site.#commit(release);
    const machine = path.join(site.folder, "machine");
    mkdirSync(path.join(machine, "home"), { recursive: true });
    writeFileSync(
      path.join(machine, "home/.gitconfig"),
      `[url "file://${site.upstream.folder}"]\n\tinsteadOf = ${COURSE_URL}\n`,
    );
    site.ipm = await createTestIpm(machine, site.writeRegistry(), options);
    return site;
  }

  #commit({ version, files, links = {} }: Release): void {
    this.upstream.commit(files, version);
    for (const [place, id] of Object.entries(links))
      this.upstream.git("update-index", "--add", "--cacheinfo", `160000,${id},${place}`);
    this.upstream.git("commit", "-q", "--amend", "--no-edit", "--allow-empty");
    const commit = this.upstream.commitOf("HEAD");
    this.upstream.tag(`v${version}`);
    this.#versions.unshift(
      `  - { version: ${version}, ref: refs/tags/v${version}, commit: ${commit}, tree: ${this.upstream.treeOf("HEAD")} }`,
    );
  }

  writeRegistry(): string {
    const registry = path.join(this.folder, "registry");
    rmSync(registry, { recursive: true, force: true });
    mkdirSync(path.join(registry, "packages/course"), { recursive: true });
    writeFileSync(path.join(registry, "registry.yaml"), "id: main\nname: Test\nmaintainers: [test]\n");
    writeFileSync(
      path.join(registry, "packages/course/manifest.yaml"),
      `schema: ipm/v1
name: course
kind: workspace
summary: A course with notebooks
license: MIT
source: { git: ${COURSE_URL} }
versions:
${this.#versions.join("\n")}
${this.#steps}`,
    );
    return registry;
  }

  /** A new release upstream, and a registry that knows it. */
  async release(release: Release): Promise<void> {
    this.#commit(release);
    await this.ipm.setRegistry(this.writeRegistry());
  }

  /** Where the workspace goes by default. */
  get workspace(): string {
    return path.join(this.ipm.folder, "course");
  }

  /** The user's own git in the workspace. */
  git(...args: readonly string[]): string {
    return runGit(this.workspace, args).toString().trim();
  }

  path(...names: readonly string[]): string {
    return path.join(this.workspace, ...names);
  }
}
