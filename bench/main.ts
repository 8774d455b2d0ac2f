/** `npm run bench`: `--routing` selects the bench for routing, otherwise it measures what a call costs. */
await import(process.argv.includes("--routing") ? "./routing/main.ts" : "./run.ts");
