/** A model that a server lists. */
export interface ServedModel {
  readonly provider: string;
  /** The server's name for the model. */
  readonly providerModel: string;
  /** Context window in tokens; 0: the server does not tell. */
  readonly contextWindowTokens: number;
}
