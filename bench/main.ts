/**
 * `npm run bench`: `--routing` selects the bench for routing, and `--cost` that of the cost of a call in money;
 * otherwise it measures what a call costs in CPU time.
 */
const isSelected = (flag: string) => process.argv.includes(flag);
await import(isSelected("--routing") ? "./routing/main.ts" : isSelected("--cost") ? "./cost.ts" : "./run.ts");
