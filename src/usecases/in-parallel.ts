export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/**
 * Run `work` on every item, at most `limit` at once, and wait for all that were begun: nothing goes on behind the
 * caller's back. With `stopEarly` no item is begun after a failure; items that were not begun are left out at the end.
 */
export async function inParallel<In, Out>(
  items: readonly In[],
  limit: number,
  work: (item: In) => Promise<Out>,
  stopEarly: boolean,
): Promise<Outcome<Out>[]> {
  const outcomes: Outcome<Out>[] = [];
  let next = 0;
  let stopped = false;
  const runner = async (): Promise<void> => {
    for (let index = next++; index < items.length && !stopped; index = next++) {
      const item = items[index];
      if (item === undefined) continue;
      try {
        outcomes[index] = { ok: true, value: await work(item) };
      } catch (error) {
        outcomes[index] = { ok: false, error };
        stopped ||= stopEarly;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, runner));
  return outcomes.filter((outcome) => outcome !== undefined);
}
