/** Identifiers of the SPDX licence list (https://spdx.org/licenses/) that software in use carries, and its exceptions. */
export const SPDX_LICENSES: ReadonlySet<string> = new Set(
  [
    "0BSD AAL AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 AGPL-1.0-only AGPL-1.0-or-later AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later",
    "Apache-1.0 Apache-1.1 Apache-2.0 APL-1.0 APSL-2.0 Artistic-1.0 Artistic-1.0-cl8 Artistic-1.0-Perl Artistic-2.0",
    "Beerware BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-Attribution",
    "BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-3-Clause-Modification BSD-3-Clause-No-Nuclear-License BSD-4-Clause BSD-4-Clause-UC BSL-1.0",
    "BUSL-1.1 bzip2-1.0.6 CAL-1.0 CATOSL-1.1 CC0-1.0 CC-BY-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-NC-4.0 CC-BY-NC-SA-4.0",
    "CC-BY-ND-4.0 CC-BY-SA-2.0 CC-BY-SA-2.5 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-PDDC CDDL-1.0 CDDL-1.1 CECILL-1.0 CECILL-2.0 CECILL-2.1",
    "CECILL-B CECILL-C ClArtistic CNRI-Python CPAL-1.0 CPL-1.0 curl D-FSL-1.0 ECL-1.0 ECL-2.0 EFL-1.0 EFL-2.0 Elastic-2.0 EPL-1.0 EPL-2.0",
    "EUDatagrid EUPL-1.0 EUPL-1.1 EUPL-1.2 FSFAP FSFUL FSFULLR FTL GFDL-1.1-only GFDL-1.1-or-later GFDL-1.2-only GFDL-1.2-or-later",
    "GFDL-1.3-only GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0 GPL-2.0+ GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0+",
    "GPL-3.0-only GPL-3.0-or-later HPND HPND-sell-variant IBM-pibs ICU IJG ImageMagick Info-ZIP Intel IPA IPL-1.0 ISC JasPer-2.0 JSON",
    "LAL-1.2 LAL-1.3 LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1 LGPL-2.1+ LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0 LGPL-3.0+ LGPL-3.0-only",
    "LGPL-3.0-or-later Libpng libpng-2.0 libtiff LPL-1.0 LPL-1.02 LPPL-1.0 LPPL-1.1 LPPL-1.2 LPPL-1.3a LPPL-1.3c MirOS MIT MIT-0 MIT-CMU",
    "MIT-Modern-Variant MITNFA MPL-1.0 MPL-1.1 MPL-2.0 MPL-2.0-no-copyleft-exception MS-PL MS-RL MTLL MulanPSL-1.0 MulanPSL-2.0 NASA-1.3",
    "NBPL-1.0 NCSA NetCDF NIST-PD NPL-1.0 NPL-1.1 NTP OFL-1.0 OFL-1.1 OFL-1.1-no-RFN OFL-1.1-RFN OGL-UK-3.0 OLDAP-2.8 OpenSSL",
    "OpenSSL-standalone OSL-1.0 OSL-2.0 OSL-2.1 OSL-3.0 PDDL-1.0 PHP-3.0 PHP-3.01 PostgreSQL PolyForm-Noncommercial-1.0.0",
    "PolyForm-Small-Business-1.0.0 PSF-2.0 Python-2.0 Python-2.0.1 QPL-1.0 Ruby Saxpath SGI-B-2.0 SISSL Sleepycat SMLNJ SSPL-1.0 TCL TCP-wrappers",
    "TMate TOSL Unicode-3.0 Unicode-DFS-2015 Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C W3C-19980720 Watcom-1.0 WTFPL X11 Xnet XFree86-1.1",
    "Zend-2.0 Zimbra-1.3 Zlib zlib-acknowledgement ZPL-2.0 ZPL-2.1",
  ].flatMap((line) => line.split(" ")),
);

/** The identifiers of an expression: without `AND`, `OR`, brackets, and what follows `WITH`. */
export function licenseWords(expression: string): readonly string[] {
  const words = expression
    .replaceAll(/[()]/gu, " ")
    .split(/\s+/u)
    .filter((word) => word !== "");
  return words.filter((word, index) => !/^(?:AND|OR|WITH)$/u.test(word) && words[index - 1] !== "WITH");
}
