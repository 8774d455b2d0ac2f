type NodeSqlite = typeof import("node:sqlite");

let loaded: NodeSqlite | undefined;

/** Loads `node:sqlite` without the warning on standard error that Node.js 22 has for it. */
export function nodeSqlite(): NodeSqlite {
  if (loaded !== undefined) return loaded;
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    loaded = process.getBuiltinModule("node:sqlite");
    return loaded;
  } finally {
    process.emitWarning = emitWarning;
  }
}
