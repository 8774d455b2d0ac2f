declare module "mistral-tokenizer-js" {
  const tokenizer: {
    readonly vocabById: readonly string[];
    readonly merges: ReadonlyMap<string, number>;
    encode(text: string, addBeginToken?: boolean, addPrecedingSpace?: boolean): number[];
  };

  // biome-ignore lint/style/noDefaultExport: the package has a default export and no types.
  export { tokenizer as default };
}
