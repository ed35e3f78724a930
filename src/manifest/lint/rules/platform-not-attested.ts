import type { LintRule } from "../rule.ts";

export const platformNotAttested: LintRule = {
  code: "PLATFORM_NOT_ATTESTED",
  severity: "warning",
  means: "A platform is named on which the newest version has not been verified.",
  why: "`platforms` reads as a promise; the registry's own verification has not seen it hold.",
  cure: "Let the registry verify it there, or take the platform out.",
  bad: "steps: [uses: npm]\nplatforms: [linux-x64, macos-arm64]",
  good: "steps: [uses: npm]",
  check: (subject, { attested }) => {
    const newest = subject.versions?.find(
      ({ prerelease, withdrawn }) => prerelease !== true && withdrawn === undefined,
    );
    if (attested === null || newest === undefined) return [];
    const seen = attested[newest.version] ?? [];
    const claims = [
      ...(subject.platforms ?? []).map((platform, index) => ({ platform, path: ["platforms", index] })),
      ...(subject.methods ?? []).flatMap((method, at) =>
        (method.platforms ?? []).map((platform, index) => ({ platform, path: ["methods", at, "platforms", index] })),
      ),
    ];
    return claims.flatMap(({ platform, path }) =>
      seen.some((id) => id === platform || id.startsWith(`${platform}-`))
        ? []
        : [{ path, message: `${newest.version} has not been verified on ${platform}` }],
    );
  },
};
