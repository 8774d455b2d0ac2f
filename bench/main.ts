/**
 * `npm run bench`: `--routing` selects the bench for routing, `--ledger` the one for the ledger. Otherwise it measures
 * what a call costs.
 */
const { argv } = process;
await import(
  argv.includes("--routing") ? "./routing/main.ts" : argv.includes("--ledger") ? "./ledger/main.ts" : "./run.ts"
);
