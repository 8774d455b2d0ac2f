/** Where a database is: a file, which need not exist, or a URL such as `postgres://user:password@host:5432/name`. */
export type DatabaseAddress =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

export type DatabaseKind = DatabaseAddress["kind"];
