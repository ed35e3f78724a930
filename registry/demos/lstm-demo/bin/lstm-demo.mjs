#!/usr/bin/env node
// @ts-check
import { main } from '../src/cli.mjs';

// A reader that has seen enough (`lstm-demo adding | head`) is not an error.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = main(process.argv.slice(2), process);
