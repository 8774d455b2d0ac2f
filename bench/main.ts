/**
 * `npm run bench`: an option selects one of these benches: `--cost` measures what computing the cost in money takes,
 * `--embeddings` what the forms of vectors take, `--messages` what decoding, validating and encoding messages takes.
 * Otherwise it measures what a call costs in CPU time.
 */
const others = {
  "--routing": "./routing/main.ts",
  "--database": "./database/main.ts",
  "--ledger": "./ledger/main.ts",
  "--cost": "./cost.ts",
  "--embeddings": "./embeddings.ts",
  "--messages": "./messages.ts",
  "--limits": "./limits/main.ts",
  "--workers": "./workers/main.ts",
  "--telemetry": "./telemetry/main.ts",
};
const other = Object.entries(others).find(([option]) => process.argv.includes(option));
await import(other?.[1] ?? "./run.ts");
