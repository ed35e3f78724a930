import { nearest } from "../../../core/nearest.ts";
import { SPDX_LICENSES, licenseWords } from "../../spdx.ts";
import type { LintRule } from "../rule.ts";

/** What a draft says where it has recognised none. */
const UNKNOWN = "LicenseRef-unknown";

export const licenseUnknown: LintRule = {
  code: "LICENSE_UNKNOWN",
  severity: "warning",
  means: "The licence is no identifier of the SPDX list.",
  why: "People and programs look for `MIT` and `GPL-3.0-or-later`; a name of one's own says nothing about what is allowed.",
  cure: "Write the SPDX identifier, or `LicenseRef-NAME` for a licence that has none.",
  bad: "license: Apache 2",
  good: "license: Apache-2.0",
  check: ({ license }) =>
    licenseWords(license).flatMap((word) => {
      if (word === UNKNOWN)
        return [
          {
            path: ["license"],
            message: "nobody has said what the licence is",
            hint: "look for it in the repository; without one nobody may use the tool",
          },
        ];
      if (SPDX_LICENSES.has(word) || /^(?:DocumentRef-[\w.-]+:)?LicenseRef-[\w.-]+$/u.test(word)) return [];
      const folded = [...SPDX_LICENSES].find((known) => known.toLowerCase() === word.toLowerCase());
      const near = folded ?? nearest(word, SPDX_LICENSES, 1)[0];
      const hint = near === undefined ? "see https://spdx.org/licenses/" : `did you mean \`${near}\`?`;
      return [
        {
          path: ["license"],
          message: `\`${word}\` is no licence of the SPDX list`,
          hint,
          // Only the case was wrong: nothing else can be meant.
          ...(folded === undefined
            ? {}
            : { fix: { kind: "set" as const, path: ["license"], value: license.replace(word, folded) } }),
        },
      ];
    }),
};
