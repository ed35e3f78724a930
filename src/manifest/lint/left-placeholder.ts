const SHAPES: readonly RegExp[] = [
  /(?<![\w.])~?\/?path\/to\/[\w./-]*/iu,
  /<(?:your|my|the|path|name|version|url|token|api|insert|username|user|repo|file|dir|key|tag|branch)[\w .:/-]*>/iu,
  /\byour[-_](?:api|key|token|name|username|user|password|secret|domain|email|project|bucket|org|repo|file|path|server|host|model|openai)[\w-]*/iu,
  /\bsk-(?:your|xxx|\.\.\.)[\w.-]*/iu,
  /\bv?[XYZ]\.[XYZ](?:\.[XYZ])?\b/u,
  /\b(?:REPLACE_ME|CHANGE_?ME|YOUR_[A-Z_]+|INSERT_[A-Z_]+|XXX+)\b/u,
  // A bare word: `{{.Name}}` and `{{item.name|upper}}` are a template's own.
  /\{\{ *[A-Za-z_-]* *\}\}/u,
];

/** A text in a command that the reader was to replace (`/path/to/x`, `<your-key>`, `vX.Y.Z`), or undefined. */
export function findPlaceholder(text: string): string | undefined {
  for (const shape of SHAPES) {
    const found = shape.exec(text);
    if (found !== null) return found[0];
  }
  return undefined;
}
