import { randomBytes } from "node:crypto";
import path from "node:path";
import { IpmError } from "../core/errors.ts";
import { isRecord } from "../core/is-record.ts";
import { escapeUntrusted } from "../core/untrusted-text.ts";
import type { Plan, PlannedDownload } from "../plan/plan.ts";
import { parseEcosystemSettings } from "../sandbox/ecosystem-settings.ts";
import { readCertificates } from "../sandbox/open-network.ts";
import { crateAddress, crateIndexConfig, mavenAddress } from "../sandbox/package-address.ts";
import { readEcosystemSources } from "../sandbox/read-ecosystem-settings.ts";
import { fetchDownload } from "../source/fetch-download.ts";
import type { StoreContext } from "../store/store-context.ts";
import { inParallel } from "./in-parallel.ts";

/** Files of a package that are fetched at once: a Java tool has dozens of small jars. Others are large and come in order. */
const AT_ONCE = 6;
const MAX_CONFIG_BYTES = 64 * 1024;
const CONFIG_TIMEOUT_MS = 60_000;

/** Where the downloads of packages come from on this machine, and whom it trusts. */
interface PackageSources {
  readonly addressOf: (download: PlannedDownload) => string;
  readonly certificates: string | undefined;
}

/** The `dl` of the index that this machine has instead of crates.io. */
async function readCrateSource(
  { host }: StoreContext,
  index: string,
  certificates: string | undefined,
): Promise<unknown> {
  const folder = path.join(host.homes.cache, "downloads");
  const file = path.join(folder, `config.${randomBytes(6).toString("hex")}.partial`);
  await host.files.createFolder(folder);
  try {
    await host.download({
      url: crateIndexConfig(index),
      file,
      maxBytes: MAX_CONFIG_BYTES,
      timeoutMs: CONFIG_TIMEOUT_MS,
      signal: host.signal,
      ...(certificates === undefined ? {} : { certificates }),
    });
    const config: unknown = JSON.parse((await host.files.readText(file)) ?? "");
    return isRecord(config) ? config["dl"] : undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  } finally {
    await host.files.remove(file);
  }
}

async function readSources(store: StoreContext, downloads: readonly PlannedDownload[]): Promise<PackageSources> {
  if (downloads.every(({ ecosystem }) => ecosystem === undefined))
    return { addressOf: ({ url }) => url, certificates: undefined };
  const settings = parseEcosystemSettings(await readEcosystemSources(store.host, false));
  // As for the ecosystem's own client: a company's proxy may sign with an authority of its own.
  const certificates = await readCertificates(store.host, settings.certificates);
  const [index] = settings.urls.crates;
  const isAsked = index !== undefined && downloads.some(({ ecosystem }) => ecosystem === "crates");
  const source = isAsked ? await readCrateSource(store, index, certificates) : undefined;
  const addressOf = ({ url, sha256, ecosystem }: PlannedDownload): string => {
    if (ecosystem === "maven") return mavenAddress(url, settings);
    if (ecosystem !== "crates" || !isAsked) return url;
    const address = crateAddress(url, sha256, source);
    if (address !== undefined) return address;
    throw new IpmError("PACKAGE_UNREACHABLE", `${escapeUntrusted(index)} does not say where its crates are`, {
      hint: "see source.crates-io in the config.toml of cargo on this machine",
    });
  };
  return { addressOf, certificates };
}

/** The failure of a download that is a part of an ecosystem's package, in the words of packages. */
function ofPackage(error: unknown, plan: Plan, { file, ecosystem }: PlannedDownload): unknown {
  if (ecosystem === undefined || !(error instanceof IpmError)) return error;
  const tool = `${plan.tool.name} ${plan.tool.version}`;
  const more = { data: { ...error.data, file }, cause: error };
  if (error.code === "SOURCE_MISMATCH") {
    return new IpmError("PACKAGE_MISMATCH", `${tool}: ${file} is not the file of the lock`, {
      hint: "do not install it; tell the registry's maintainers; a mirror in between may be broken",
      ...more,
    });
  }
  if (error.code !== "FETCH_FAILED" && error.code !== "SOURCE_REFUSED") return error;
  if (error.data["status"] === 404 || error.data["status"] === 410) {
    return new IpmError("PACKAGE_NOT_FOUND", `${tool}: the registry of ${ecosystem} does not have ${file}`, {
      hint: `ipm show ${plan.tool.name}`,
      ...more,
    });
  }
  return new IpmError("PACKAGE_UNREACHABLE", `${tool}: ${error.message}`, {
    hint: `check the network, the proxy and the mirror that this machine has for ${ecosystem}; then try again`,
    ...more,
  });
}

/**
 * Fetch and check the downloads of a plan, and copy them to where its steps find them: `ipm-downloads` below TMPDIR. Those
 * of an ecosystem's package come from where this machine is configured to get its packages.
 * @throws IpmError those of `fetchDownload`; PACKAGE_MISMATCH, PACKAGE_NOT_FOUND, PACKAGE_UNREACHABLE
 */
export async function placeDownloads(store: StoreContext, plan: Plan, tmp: string, offline: boolean): Promise<void> {
  const { host } = store;
  const tool = `${plan.tool.name}@${plan.tool.version}`;
  const folder = path.join(tmp, "ipm-downloads");
  const downloads = plan.what.downloads ?? [];
  const [first] = downloads;
  if (first === undefined) return;
  await host.files.createFolder(folder);
  // Two of the same bytes are one file of the cache: only the first is fetched while others are on their way.
  const bySum = [...new Map(downloads.map((download) => [download.sha256, download])).values()];
  const { addressOf, certificates } = await readSources(store, offline ? [] : downloads).catch((error: unknown) => {
    throw ofPackage(error, plan, first);
  });
  const outcomes = await inParallel(
    bySum,
    downloads.every(({ ecosystem }) => ecosystem !== undefined) ? AT_ONCE : 1,
    async (download) => {
      try {
        const pin = { ...download, url: addressOf(download) };
        const work = { tool, offline, certificates: download.ecosystem === undefined ? undefined : certificates };
        const cached = await fetchDownload(store, pin, work);
        return [download.sha256, cached] as const;
      } catch (error) {
        throw ofPackage(error, plan, download);
      }
    },
    true,
  );
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error;
  const cached = new Map(outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value] : [])));
  for (const { file, sha256 } of downloads) {
    const place = path.join(folder, file);
    await host.files.remove(place);
    // A copy: steps can write theirs, and the cache's stays what it was checked to be.
    await host.files.copyFile(cached.get(sha256) ?? "", place);
    await host.files.setMode(place, 0o644);
  }
}
