/** Words that `network` takes for the hosts of a package registry. */
export const ECOSYSTEMS = ["npm", "pypi", "crates", "go", "maven"] as const;

export type Ecosystem = (typeof ECOSYSTEMS)[number];

/** True for a word of `network` that means an ecosystem and no host. */
export function isEcosystem(word: string): word is Ecosystem {
  return ECOSYSTEMS.some((ecosystem) => ecosystem === word);
}
