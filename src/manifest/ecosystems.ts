/** Words that `network` takes for the hosts of a package registry. */
export const ECOSYSTEMS = ["npm", "pypi", "crates", "go", "maven"] as const;

export type Ecosystem = (typeof ECOSYSTEMS)[number];
