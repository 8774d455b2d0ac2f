import { create } from "@bufbuild/protobuf";
import { type ChatEvent, completed, finished, started, textDelta } from "../../src/chat/stream/events.ts";
import { plainRules } from "../../src/config/route.ts";
import { ChatRequestSchema } from "../../src/gen/dragoman/v1/chat_request_pb.js";
import { FinishReason } from "../../src/gen/dragoman/v1/completion_pb.js";
import { Role } from "../../src/gen/dragoman/v1/message_pb.js";
import { ModelSchema } from "../../src/gen/dragoman/v1/model_pb.js";
import type { Adapter } from "../../src/providers/adapter.ts";
import type { Candidate, CandidateRoute } from "../../src/routing/candidate.ts";
import { runOnTarget } from "../../src/routing/choices.ts";
import { Router } from "../../src/routing/router.ts";
import type { Path } from "./compare-cpu.ts";

async function* answer(): AsyncGenerator<readonly ChatEvent[]> {
  yield [started(), textDelta(0, 0, "Yes."), finished(0, FinishReason.STOP, "stop"), completed()];
}

/** A healthy target without a network: what remains is Dragoman's own work. */
const adapter: Adapter = { name: "memory", stream: answer, checkSupport: () => [], describe: () => undefined };
const target = { adapter, model: create(ModelSchema, { id: "memory/m", provider: "memory", providerModel: "m" }) };
const request = create(ChatRequestSchema, {
  model: "memory/m",
  messages: [{ role: Role.USER, parts: [{ kind: { case: "text", value: "Is it fast?" } }] }],
});

async function readAll(events: AsyncIterable<readonly ChatEvent[]>): Promise<void> {
  for await (const _ of events);
}

function options() {
  return { signal: new AbortController().signal, holder: "account:bench", whole: false };
}

const router = new Router();
const state = router.stateFor(target);
const member: Candidate = {
  state,
  weight: 1,
  keys: state.keysFor(undefined),
  cost: undefined,
  windowTokens: 0,
  obstacle: undefined,
};
const route: CandidateRoute<Candidate> = {
  id: "",
  tiers: [{ balance: "order", members: [member] }],
  rules: plainRules,
};

function routed(): Promise<void> {
  const { signal, holder, whole } = options();
  const run = router.run(
    {
      signal,
      whole,
      canHedge: true,
      conversation: undefined,
      leftMs: () => 60_000,
      plan: () => Promise.resolve(request),
      start: (plan, _, parameters) => runOnTarget(target, plan, { ...parameters, holder }),
    },
    route,
  );
  return readAll(run.events);
}

/** The same planned call, directly at its target and through the router. */
export const hotPaths: Readonly<Record<"direct" | "directAgain" | "routed", Path>> = {
  direct: () => readAll(runOnTarget(target, request, options()).events),
  directAgain: () => readAll(runOnTarget(target, request, options()).events),
  routed,
};
