import { defineConfig } from "vitest/config";

const shared = { setupFiles: ["test/helpers/clean-environment.ts"], testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    // By default one processor is left free, which is half of a machine of two: the tests wait for programs more than they
    // compute.
    maxWorkers: "100%",
    projects: [
      { test: { ...shared, name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { ...shared, name: "integration", include: ["test/integration/**/*.test.ts"] } },
      { test: { ...shared, name: "registry", include: ["test/registry/**/*.test.ts"] } },
      { test: { ...shared, name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 120_000 } },
      { test: { ...shared, name: "faults", include: ["test/faults/**/*.test.ts"], testTimeout: 600_000 } },
    ],
  },
});
