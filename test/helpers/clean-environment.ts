/** Tests see no setting of the machine they run on: what ipm or git would read from the caller is removed first. */
for (const name of Object.keys(process.env)) {
  if (
    /^(IPM_(?!FAULTS$)|XDG_|GIT_|npm_|NPM_)|^(NO_COLOR|FORCE_COLOR|DEBUG|NODE_OPTIONS|CI|NODE_EXTRA_CA_CERTS)$/u.test(
      name,
    )
  ) {
    delete process.env[name];
  }
}
