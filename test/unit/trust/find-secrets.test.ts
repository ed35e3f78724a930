import { expect, test } from "vitest";
import { findSecrets } from "../../../src/trust/find-secrets.ts";

test.each([
  [`token: ghp_${"a1".repeat(18)}`, "a GitHub token"],
  [`github_pat_${"A1_".repeat(20)}`, "a GitHub token"],
  [`//registry.npmjs.org/:_authToken=npm_${"aB1".repeat(12)}`, "an npm token"],
  [`AWS AKIA${"Z9".repeat(8)} x`, "an AWS key"],
  ["-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"],
  ["-----BEGIN PRIVATE KEY-----", "a private key"],
  [`glpat-${"x".repeat(20)}`, "a GitLab token"],
])("%s looks like %s", (text, name) => {
  expect(findSecrets(text)).toEqual([name]);
});

test.each([
  "sha512-" + "A1b2".repeat(22),
  "8b74e6ab8d75ad519cfcdcd9ccdecfb44bb4305c",
  "npm_config_audit=false",
  "ghp_short",
  "-----BEGIN CERTIFICATE-----",
  "-----BEGIN PUBLIC KEY-----",
])("%s is no secret", (text) => {
  expect(findSecrets(text)).toEqual([]);
});
