import type { IpmEvent } from "../../core/events.ts";

/** Draws the story of a run. One of these a process; work never sees it, only `emit`. */
export interface Reporter {
  emit(event: IpmEvent): void;
  /** Leave the terminal alone: a question or a program that shares it comes. */
  pause(): void;
  /** Take it up again. */
  resume(): void;
  /** For good; what is unfinished is wiped. Idempotent. */
  stop(): void;
}
