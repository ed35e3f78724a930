import path from "node:path";
import { redactCredentials } from "../core/untrusted-text.ts";
import { openPackage } from "../source/open-package.ts";
import { openSource } from "../source/open-source.ts";
import type { FetchedCommit, FetchedPackage, PackageRequest, SourceRequest } from "../source/source.ts";
import type { Context } from "./context.ts";
import { sourceContext } from "./source-context.ts";

/** What is shown of a source: its URL without credentials, or the bundle, folder or package. */
export function describeSource(request: SourceRequest | PackageRequest): string {
  if (request.kind === "package") return request.package;
  if (request.kind === "git") return redactCredentials(request.url);
  return request.kind === "bundle" ? `bundle ${path.basename(request.name)}` : request.path;
}

/**
 * Fetch a source into ipm's cache and tell about it.
 * @param tool what events call it: `name@version`, or the target
 * @param meanwhile called once a transfer runs: the time to begin what comes after it
 * @throws IpmError of `openSource`
 */
export async function fetchSource(
  context: Context,
  request: SourceRequest,
  tool: string,
  offline: boolean,
  meanwhile: () => void = () => undefined,
): Promise<FetchedCommit> {
  context.emit({ type: "phase.started", tool, phase: "fetch", detail: describeSource(request) });
  const start = context.host.monotonicMs();
  const source = await openSource({ ...sourceContext(context), meanwhile }, request, { tool, offline });
  const ms = Math.round(context.host.monotonicMs() - start);
  context.emit({ type: "phase.finished", tool, phase: "fetch", ms, detail: source.commit });
  return source;
}

/** Read the lock of a package and tell about it. @throws IpmError LOCK_INVALID */
export async function readPackage(context: Context, request: PackageRequest, tool: string): Promise<FetchedPackage> {
  context.emit({ type: "phase.started", tool, phase: "fetch", detail: describeSource(request) });
  const start = context.host.monotonicMs();
  const source = await openPackage(context.host, request);
  const ms = Math.round(context.host.monotonicMs() - start);
  context.emit({ type: "phase.finished", tool, phase: "fetch", ms, detail: source.integrity });
  return source;
}
