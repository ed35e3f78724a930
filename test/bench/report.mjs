/** The rows of a run: what was measured, what was asked for, and what peers need for the same. */

const rows = [];
const print = (line = "") => process.stdout.write(`${line}\n`);
/** Three digits that say something. */
function number(value) {
  const size = Math.abs(value);
  if (Number.isNaN(value)) return "-";
  return size > 0 && size < 0.1 ? value.toPrecision(2) : value.toFixed(size < 10 ? 2 : 1);
}

/**
 * Print and keep a row.
 * @param {{ id: string, what: string, unit: string, measured: { value: number, low: number, high: number },
 *   target?: number, peers?: string }} row `id` is the target's (S1, E2), `unit` what the number is of (`x node -e 0`)
 */
export function report(row) {
  rows.push(row);
  const { id, what, unit, measured, target, peers = "" } = row;
  const interval = `[${number(measured.low)}, ${number(measured.high)}]`;
  const verdict = target === undefined ? "" : `<= ${target}  ${measured.value <= target ? "reached" : "NOT reached"}`;
  print(
    `  ${id.padEnd(3)} ${what.padEnd(44)} ${number(measured.value).padStart(7)} ${interval.padEnd(15)} ${unit.padEnd(22)} ${verdict.padEnd(20)} ${peers}`.trimEnd(),
  );
}

/** A line above the rows of a group. */
export function heading(text) {
  print(`\n${text}`);
}

/** Something that could not be measured here, and why. */
export function skip(id, what, why) {
  rows.push({ id, what, unit: "", skipped: why });
  print(`  ${id.padEnd(3)} ${what.padEnd(44)}       - ${why}`);
}

/** All rows as a Markdown table, for docs/performance.md. */
export function markdown() {
  const cells = rows.map(({ id, what, unit, measured, target, peers, skipped }) =>
    skipped === undefined
      ? [
          id,
          what,
          `${number(measured.value)} ${unit}`,
          `${number(measured.low)} to ${number(measured.high)}`,
          target === undefined ? "" : `≤ ${target}${measured.value <= target ? "" : " **missed**"}`,
          peers ?? "",
        ]
      : [id, what, `not measured: ${skipped}`, "", "", ""],
  );
  const lines = [
    ["", "what", "measured", "95 % interval", "target", "peers, same run"],
    ["---", "---", "---", "---", "---", "---"],
    ...cells,
  ];
  return `${lines.map((line) => `| ${line.join(" | ")} |`).join("\n")}\n`;
}
