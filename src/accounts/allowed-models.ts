import type { AccountSettings } from "../config/account.ts";
import { type FieldViolation, GatewayError } from "../errors.ts";
import { matchesGlob } from "./glob.ts";
import type { Caller } from "./keys.ts";

/** Who has a list of allowed models: the API key of a call, and its account. */
type Owner = readonly [owner: string, patterns: readonly string[] | undefined];

/** Most patterns that an error names. */
const mostNamed = 8;

/** Which models a call may request: those that the patterns of its API key and of its account both allow. */
export class AllowedModels {
  /** Owners that do not allow all models. */
  readonly #owners: readonly Owner[];

  constructor({ models }: Pick<Caller, "models">, account: Pick<AccountSettings, "id" | "models"> | undefined) {
    const owners: readonly Owner[] = [
      ["the API key", models],
      [`the account ${account?.id}`, account?.models],
    ];
    this.#owners = owners.filter(([, patterns = []]) => patterns.length > 0 && !patterns.includes("*"));
  }

  /** Whether a call may write one of these names of a model. */
  hasOneOf(names: readonly string[]): boolean {
    return names.some((name) => this.#owners.every(([, patterns]) => allows(patterns, name)));
  }

  /**
   * Throws MODEL_NOT_ALLOWED if a call may not write a name.
   *
   * @param field field of the request with the name, if it is not `model`
   */
  require(name: string, field?: FieldViolation["field"]): void {
    const refusing = this.#owners.find(([, patterns]) => !allows(patterns, name));
    if (refusing === undefined) return;
    const [owner, patterns = []] = refusing;
    const named = patterns.slice(0, mostNamed).join(", ");
    const allowed = patterns.length > mostNamed ? `${named} and ${patterns.length - mostNamed} more` : named;
    const message = `${owner} does not allow the model ${name}; it allows ${allowed}`;
    throw new GatewayError("MODEL_NOT_ALLOWED", message, {
      metadata: { model: name, allowed },
      ...(field && { fields: [{ field, description: message }] }),
    });
  }
}

function allows(patterns: readonly string[] = [], name: string): boolean {
  return patterns.some((pattern) => matchesGlob(pattern, name));
}
