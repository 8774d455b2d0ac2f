/** A module that is loaded apart from the one that names it, and before its first use. */
export interface LateModule<Module> {
  readonly load: () => Promise<void>;
  /** The module, once `load` has resolved. */
  readonly loaded: Module;
}

/** Names a module by its `import()`: that of an adapter, which takes up to 50 ms of CPU time to load. */
export function lateModule<Module>(importModule: () => Promise<Module>): LateModule<Module> {
  let module: Module | undefined;
  return {
    async load() {
      module ??= await importModule();
    },
    get loaded() {
      if (module === undefined) throw new Error("an adapter is created before it is loaded");
      return module;
    },
  };
}
