/** One way to run a call in this process. */
export type Path = () => Promise<void>;

export interface CpuScale {
  /** Both paths run in each round, in turn. */
  readonly rounds: number;
  readonly callsPerRound: number;
  /** Calls of each path before the first round. */
  readonly warmUpCalls: number;
}

export const cpuScales = {
  full: { rounds: 80, callsPerRound: 2000, warmUpCalls: 20_000 },
  quick: { rounds: 24, callsPerRound: 1000, warmUpCalls: 10_000 },
} as const satisfies Record<string, CpuScale>;

/** CPU time per call in µs, one value for each round and path. */
export type CpuRounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

async function cpuOf(path: Path, calls: number): Promise<number> {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) await path();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/**
 * Measures the CPU time of this process, with its garbage collection, for each path. The paths take turns within a
 * round, and every second round runs them in the opposite order: a drift of the machine affects all of them alike.
 */
export async function compareCpu<Name extends string>(
  paths: Readonly<Record<Name, Path>>,
  { rounds, callsPerRound, warmUpCalls }: CpuScale,
): Promise<CpuRounds<Name>> {
  const names = Object.keys(paths) as Name[];
  for (const name of names) await cpuOf(paths[name], warmUpCalls);
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      measured[name].push(await cpuOf(paths[name], callsPerRound));
    }
  }
  return measured;
}
