/** One mistake in the configuration. None of the texts holds a secret. */
export interface ConfigProblem {
  /** Where: a path in the file (`providers.openai.timeouts.idle`), a variable, or `file:line:column`. */
  readonly path: string;
  /** What is wrong. */
  readonly problem: string;
  /** What to do. */
  readonly fix: string;
}

/** Records a mistake, so that all of them are reported at once. */
export type ReportProblem = (path: string, problem: string, fix: string) => void;

/** The configuration cannot be used. Lists every mistake in it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, problem, fix }) => `  ${path}: ${problem}; ${fix}`);
    super(
      [`the configuration has ${problems.length === 1 ? "a mistake" : `${problems.length} mistakes`}:`, ...lines].join(
        "\n",
      ),
    );
    this.problems = problems;
  }
}
