/** `npm run bench`: `--routing`, `--database` and `--ledger` select a bench of their own, otherwise it measures what a call costs. */
const others = { "--routing": "./routing/main.ts", "--database": "./database/main.ts", "--ledger": "./ledger/main.ts" };
const other = Object.entries(others).find(([option]) => process.argv.includes(option));
await import(other?.[1] ?? "./run.ts");
