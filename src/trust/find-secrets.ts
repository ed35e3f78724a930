interface SecretShape {
  readonly name: string;
  readonly shape: RegExp;
}

/** What the issuers document as the forms of their tokens. */
const SHAPES: readonly SecretShape[] = [
  { name: "a private key", shape: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/u },
  { name: "a GitHub token", shape: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})/u },
  { name: "a GitLab token", shape: /\bglpat-[A-Za-z0-9_-]{20}/u },
  { name: "an npm token", shape: /\bnpm_[A-Za-z0-9]{36}/u },
  { name: "a PyPI token", shape: /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20}/u },
  { name: "an AWS key", shape: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/u },
  { name: "a Google key", shape: /\bAIza[A-Za-z0-9_-]{35}/u },
  { name: "a Slack token", shape: /\bxox[abprs]-[A-Za-z0-9-]{20}/u },
  { name: "a Stripe key", shape: /\b[rs]k_live_[A-Za-z0-9]{20}/u },
];

/** Characters that a token of a known form takes at most: so much of a piece has to be seen again with the next one. */
export const SECRET_OVERLAP = 128;

/** What in a text looks like a secret, in words: `a GitHub token`. The text itself is never repeated. */
export function findSecrets(text: string): string[] {
  return SHAPES.filter(({ shape }) => shape.test(text)).map(({ name }) => name);
}
