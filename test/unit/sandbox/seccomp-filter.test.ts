import { describe, expect, test } from "vitest";
import { seccompFilter } from "../../../src/sandbox/seccomp-filter.ts";

const X64 = 0xc000_003e;
const I386 = 0x4000_0003;
const ARM64 = 0xc000_00b7;
const ALLOW = 0x7fff_0000;
const NO_SUCH_CALL = 0x0005_0000 | 38;

/** Run the filter as the kernel would, for one call. */
function verdict(filter: Uint8Array | undefined, audit: number, call: number): number {
  const bytes = Buffer.from(filter ?? []);
  let accumulator = 0;
  for (let at = 0; at < bytes.length / 8; at++) {
    const code = bytes.readUInt16LE(at * 8);
    const value = bytes.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean): number => bytes.readUInt8(at * 8 + (holds ? 2 : 3));
    if (code === 0x20) accumulator = value === 0 ? call : audit;
    else if (code === 0x15) at += jump(accumulator === value);
    else if (code === 0x35) at += jump(accumulator >= value);
    else if (code === 0x06) return value;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the filter has no end");
}

describe("seccompFilter", () => {
  const filter = seccompFilter("x64");

  test.each([248, 249, 250, 321, 425, 313])("refuses call %i of x86-64", (call) => {
    expect(verdict(filter, X64, call)).toBe(NO_SUCH_CALL);
  });

  test.each([0, 1, 59, 101, 231, 247, 251, 435])("allows call %i of x86-64", (call) => {
    expect(verdict(filter, X64, call)).toBe(ALLOW);
  });

  test("refuses the same calls under the numbers of 32-bit programs, which are let run", () => {
    expect(verdict(filter, I386, 288)).toBe(NO_SUCH_CALL);
    expect(verdict(filter, I386, 250)).toBe(ALLOW);
  });

  test("refuses the x32 variant, whose numbers would get around the list", () => {
    expect(verdict(filter, X64, 0x4000_0000 + 250)).toBe(NO_SUCH_CALL);
  });

  test("refuses every call of an unknown architecture", () => {
    expect(verdict(filter, ARM64, 0)).toBe(NO_SUCH_CALL);
  });

  test("knows arm64, and says when it knows nothing", () => {
    expect(verdict(seccompFilter("arm64"), ARM64, 219)).toBe(NO_SUCH_CALL);
    expect(verdict(seccompFilter("arm64"), ARM64, 64)).toBe(ALLOW);
    expect(seccompFilter("riscv64")).toBeUndefined();
  });
});
