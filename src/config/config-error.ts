/** One mistake in the configuration. Its texts contain no secrets. */
export interface ConfigProblem {
  /** Location: a path in the file (`providers.openai.timeouts.idle`), a variable, or `file:line:column`. */
  readonly path: string;
  /** What is wrong. */
  readonly problem: string;
  /** What to write instead, or what to do. */
  readonly fix: string;
}

/** Records a mistake. Loading goes on, so that one ConfigError lists all mistakes. */
export type ReportProblem = (path: string, problem: string, fix: string) => void;

/** Invalid configuration. Lists every mistake. */
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
