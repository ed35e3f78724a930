const SECRET = /(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|AUTH_?KEY|CREDENTIAL)/iu;

/** True for a variable that is a secret by its name, wherever in it the word is: `AWS_SECRET_ACCESS_KEY`, `GH_TOKEN_FILE`. */
export function soundsSecret(name: string): boolean {
  return SECRET.test(name);
}
