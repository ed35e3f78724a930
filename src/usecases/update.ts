import { IpmError } from "../core/errors.ts";
import { type UpdateResult, updateRegistries } from "../registry/update-registries.ts";
import type { Context } from "./context.ts";
import { registryContext } from "./registry-context.ts";

/**
 * Fetch the configured registries; the embedded one comes with ipm itself. All are tried; one that fails keeps what it had.
 * @param ids only these; all when empty
 * @throws IpmError with the code of the first that failed (`data.registries` has them all), REGISTRY_NOT_FOUND, CONFIG_INVALID
 */
export async function update(context: Context, ids: readonly string[]): Promise<UpdateResult> {
  const result = await updateRegistries(registryContext(context), ids);
  const failed = result.registries.filter(({ outcome }) => outcome === "failed");
  const [first] = failed;
  if (first === undefined) return result;
  const names = failed.map(({ id }) => id).join(", ");
  throw new IpmError(
    // Each way to fail has its own code; what several registries say is in the data.
    first.error?.code ?? "FETCH_FAILED",
    `${names} could not be updated: ${first.error?.message ?? "no reason was given"}`,
    {
      hint: first.error?.hint ?? "ipm update",
      data: {
        registries: result.registries.map(({ id, location, outcome, commit, error }) => ({
          id,
          location,
          outcome,
          commit,
          error: error === null ? null : { code: error.code, message: error.message, data: error.data },
        })),
      },
    },
  );
}
