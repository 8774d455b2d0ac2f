/** Environment variables. One that is empty counts as unset. */
export type Environment = Readonly<Record<string, string | undefined>>;
