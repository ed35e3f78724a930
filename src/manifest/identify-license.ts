import { SPDX_LICENSES, licenseWords } from "./spdx.ts";

interface Fingerprint {
  readonly id: string;
  /** All of these stand in the text, white space and case aside. */
  readonly phrases: readonly string[];
  /** None of these does. */
  readonly without?: readonly string[];
}

/**
 * Sentences that only one licence has, from the texts at https://spdx.org/licenses/. The order matters: a text is the
 * first one that fits.
 */
const FINGERPRINTS: readonly Fingerprint[] = [
  { id: "AGPL-3.0", phrases: ["gnu affero general public license", "version 3, 19 november 2007"] },
  { id: "LGPL-3.0", phrases: ["gnu lesser general public license", "version 3, 29 june 2007"] },
  { id: "GPL-3.0", phrases: ["gnu general public license", "version 3, 29 june 2007"] },
  { id: "LGPL-2.1", phrases: ["gnu lesser general public license", "version 2.1, february 1999"] },
  { id: "GPL-2.0", phrases: ["gnu general public license", "version 2, june 1991"] },
  { id: "MPL-2.0", phrases: ["mozilla public license version 2.0"] },
  { id: "EPL-2.0", phrases: ["eclipse public license - v 2.0"] },
  { id: "EPL-1.0", phrases: ["eclipse public license - v 1.0"] },
  { id: "CDDL-1.0", phrases: ["common development and distribution license (cddl) version 1.0"] },
  { id: "EUPL-1.2", phrases: ["european union public licence", "1.2"] },
  { id: "Apache-2.0", phrases: ["apache license", "version 2.0, january 2004"] },
  { id: "Apache-2.0", phrases: ["licensed under the apache license, version 2.0"] },
  { id: "BSL-1.0", phrases: ["boost software license - version 1.0"] },
  { id: "Artistic-2.0", phrases: ["the artistic license 2.0"] },
  { id: "CC0-1.0", phrases: ["cc0 1.0 universal"] },
  { id: "CC-BY-4.0", phrases: ["attribution 4.0 international"], without: ["sharealike", "noncommercial"] },
  { id: "CC-BY-SA-4.0", phrases: ["attribution-sharealike 4.0 international"] },
  { id: "OFL-1.1", phrases: ["sil open font license version 1.1"] },
  { id: "Unlicense", phrases: ["this is free and unencumbered software released into the public domain"] },
  { id: "WTFPL", phrases: ["do what the fuck you want to public license"] },
  {
    id: "Zlib",
    phrases: [
      "this software is provided 'as-is', without any express or implied warranty",
      "altered source versions must be plainly marked",
    ],
  },
  {
    id: "0BSD",
    phrases: [
      "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted",
      'the software is provided "as is"',
    ],
    without: ["provided that the above copyright notice"],
  },
  {
    id: "ISC",
    phrases: [
      "permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice",
    ],
  },
  {
    id: "ISC",
    phrases: [
      "permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, provided that the above copyright notice",
    ],
  },
  {
    id: "MIT-0",
    phrases: [
      "permission is hereby granted, free of charge, to any person obtaining a copy",
      'the software is provided "as is"',
    ],
    without: ["the above copyright notice and this permission notice"],
  },
  {
    id: "MIT",
    phrases: [
      "permission is hereby granted, free of charge, to any person obtaining a copy",
      "the above copyright notice and this permission notice",
    ],
  },
  {
    id: "BSD-4-Clause",
    phrases: ["redistribution and use in source and binary forms", "all advertising materials mentioning features"],
  },
  {
    id: "BSD-3-Clause",
    phrases: [
      "redistribution and use in source and binary forms",
      "redistributions in binary form must reproduce",
      "to endorse or promote products",
    ],
  },
  {
    id: "BSD-2-Clause",
    phrases: ["redistribution and use in source and binary forms", "redistributions in binary form must reproduce"],
  },
  { id: "PSF-2.0", phrases: ["python software foundation license version 2"] },
  {
    id: "PostgreSQL",
    phrases: [
      "permission to use, copy, modify, and distribute this software and its documentation for any purpose, without fee, and without a written agreement",
    ],
  },
  { id: "Vim", phrases: ["vim license"] },
  { id: "MIT", phrases: ["released under the mit license"] },
];

function flat(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[“”]/gu, '"')
    .replaceAll(/[‘’`]/gu, "'")
    .replaceAll(/^[\s#*/;>-]+/gmu, "")
    .replaceAll(/\s+/gu, " ");
}

/**
 * The SPDX identifier of a licence's text, by sentences that only it has, or null. A GNU licence is given without `-only`
 * or `-or-later`, which its text does not say.
 */
export function identifyLicense(text: string): string | null {
  const own = /SPDX-License-Identifier:\s*([A-Za-z0-9.+() -]+)/u.exec(text.slice(0, 20_000))?.[1];
  const written = own === undefined ? null : normalizeLicense(own);
  if (written !== null) return written;
  const words = flat(text.slice(0, 60_000));
  const found = FINGERPRINTS.find(
    ({ phrases, without = [] }) =>
      phrases.every((phrase) => words.includes(phrase)) && !without.some((phrase) => words.includes(phrase)),
  );
  return found?.id ?? null;
}

/** What packages write instead of an SPDX identifier. */
const LOOSE: readonly (readonly [RegExp, string])[] = [
  [/^(?:the )?mit(?: license| licence)?$/iu, "MIT"],
  [/^(?:the )?apache(?: software)?(?: license)?(?:,? (?:version )?2(?:\.0)?)?$/iu, "Apache-2.0"],
  [/^apache[- ]?2(?:\.0)?$/iu, "Apache-2.0"],
  [/^(?:new |modified |3-clause )?bsd(?: 3-clause|-3)?(?: license)?$/iu, "BSD-3-Clause"],
  [/^(?:simplified |2-clause )bsd(?: license)?$|^bsd-2$/iu, "BSD-2-Clause"],
  [/^(?:gnu )?(?:gpl|general public license)[ -]?v?3(?:\.0)?(?: or later|\+)$/iu, "GPL-3.0-or-later"],
  [/^(?:gnu )?(?:gpl|general public license)[ -]?v?2(?:\.0)?(?: or later|\+)$/iu, "GPL-2.0-or-later"],
  [/^(?:gnu )?(?:gpl|general public license)[ -]?v?3(?:\.0)?$/iu, "GPL-3.0"],
  [/^(?:gnu )?(?:gpl|general public license)[ -]?v?2(?:\.0)?$/iu, "GPL-2.0"],
  [/^mpl[ -]?v?2(?:\.0)?$|^mozilla public license 2\.0(?: \(mpl 2\.0\))?$/iu, "MPL-2.0"],
  [/^(?:isc|isc license)$/iu, "ISC"],
  [/^(?:the )?unlicense$/iu, "Unlicense"],
  [/^psf$|^python software foundation license$/iu, "PSF-2.0"],
];

/**
 * What a package's metadata says as an SPDX expression: `Apache 2.0` is `Apache-2.0`, `MIT/Apache-2.0` (Cargo's old way)
 * is `MIT OR Apache-2.0`. Null for what is none.
 */
export function normalizeLicense(text: string): string | null {
  const one = text
    .trim()
    .replace(/^\((.*)\)$/u, "$1")
    .replaceAll(/\s*\/\s*/gu, " OR ");
  if (one === "") return null;
  const words = licenseWords(one);
  const known = (word: string): string | undefined =>
    SPDX_LICENSES.has(word) ? word : [...SPDX_LICENSES].find((id) => id.toLowerCase() === word.toLowerCase());
  if (words.length > 0 && words.every((word) => known(word) !== undefined)) {
    return words.reduce((expression, word) => expression.replace(word, known(word) ?? word), one);
  }
  return LOOSE.find(([shape]) => shape.test(one))?.[1] ?? null;
}
