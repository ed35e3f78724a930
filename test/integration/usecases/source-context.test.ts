import { expect, test } from "vitest";
import { sourceContext } from "../../../src/usecases/source-context.ts";
import { createContext } from "../../helpers/bare-context.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

test("two tools of one repository take its lock in turn: --lock-timeout is about other processes", async () => {
  const events: string[] = [];
  const { lock } = sourceContext({
    ...createContext(temporaryFolder()),
    lockTimeoutMs: 0,
    emit: ({ type }) => void events.push(type),
  });
  const done: string[] = [];
  const use = (name: string): Promise<void> =>
    lock("git-0", async () => {
      done.push(`${name} begins`);
      await new Promise(setImmediate);
      done.push(`${name} ends`);
      if (name === "b") throw new Error("b fails");
    });
  const outcomes = await Promise.allSettled(["a", "b", "c"].map(use));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(done).toEqual(["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
  expect(events).toEqual([]);
});
