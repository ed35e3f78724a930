#!/usr/bin/env node
"use strict";
// Nothing but the hand-over: everything is in dist/, made by `npm run build`.
const path = require("node:path");

const root = path.dirname(__dirname);
let ipm;
try {
  ipm = require("../dist/ipm.cjs");
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND" || !String(error.message).includes("dist/ipm.cjs")) throw error;
  process.stderr.write(`ipm is not built yet; run: npm --prefix '${root}' run build\n`);
  process.exit(70);
}
ipm.runProcess(root).then((exitCode) => {
  process.exit(exitCode);
});
