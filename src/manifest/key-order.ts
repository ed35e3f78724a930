import { z } from "zod";
import { manifestSchema } from "./schema.ts";
import type { Path } from "./validate.ts";

function objectKeys(schema: z.core.$ZodType, path: Path): readonly string[] | undefined {
  if (schema instanceof z.ZodOptional) return objectKeys(schema._zod.def.innerType, path);
  if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) {
      const keys = objectKeys(option, path);
      if (keys !== undefined) return keys;
    }
    return undefined;
  }
  const [first, ...rest] = path;
  if (schema instanceof z.ZodObject) {
    if (first === undefined) return Object.keys(schema.shape);
    const next: unknown = schema.shape[first];
    return next instanceof z.ZodType ? objectKeys(next, rest) : undefined;
  }
  if (first === undefined) return undefined;
  if (schema instanceof z.ZodArray) return objectKeys(schema._zod.def.element, rest);
  return schema instanceof z.ZodRecord ? objectKeys(schema._zod.def.valueType, rest) : undefined;
}

/**
 * The keys of the map at a path in the order of the schema, which is the canonical one; undefined where the writer chooses
 * the keys (`env`, `bin`), and where there is no map.
 */
export function keyOrderAt(path: Path): readonly string[] | undefined {
  return objectKeys(manifestSchema, path);
}

/** Keys in canonical order: the schema's first, unknown ones behind them as they were. */
export function inKeyOrder(keys: readonly string[], order: readonly string[]): string[] {
  const rank = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  return keys.toSorted((a, b) => rank(a) - rank(b));
}
