import { create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { requireValid } from "../../chat/validation/annotations.ts";
import { GatewayError } from "../../errors.ts";
import {
  ListTargetsRequestSchema,
  ListTargetsResponseSchema,
  type RoutingService,
} from "../../gen/dragoman/admin/v1/routing_service_pb.js";
import { type Target, TargetSchema, TargetState } from "../../gen/dragoman/admin/v1/target_pb.js";
import { paginateBy } from "../../models/paginate.ts";
import { nearest } from "../../nearest.ts";
import type { RoutingView, TargetStateName, TargetView } from "../../routing/target-view.ts";
import { answerCall } from "./admitted-call.ts";

/** Creates RoutingService for both listeners. */
export function createRoutingService(routing: RoutingView): ServiceImpl<typeof RoutingService> {
  return {
    listTargets: (request, context) =>
      answerCall(context, async () => {
        await requireValid(ListTargetsRequestSchema, request);
        const { route } = request;
        if (route !== "") requireRoute(routing, route);
        const targets = routing.targets(route || undefined);
        const { items, nextPageToken } = paginateBy(targets, ({ name }) => name, request, "ListTargets");
        return create(ListTargetsResponseSchema, { targets: items.map(toTarget), nextPageToken });
      }),
  };
}

function requireRoute(routing: RoutingView, route: string): void {
  const routes = routing.routes();
  if (routes.includes(route)) return;
  const near = nearest(route, routes);
  const fix = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "leave `route` empty for all targets";
  throw new GatewayError("RESOURCE_NOT_FOUND", `there is no route ${route}; ${fix}`, { metadata: { route } });
}

const states = {
  closed: TargetState.CLOSED,
  open: TargetState.OPEN,
  half_open: TargetState.HALF_OPEN,
} as const satisfies Record<TargetStateName, TargetState>;

function toTarget(view: TargetView): Target {
  return create(TargetSchema, {
    name: view.name,
    state: states[view.state],
    failureRatio: view.failureRatio,
    ...(view.firstOutputMs !== undefined && { firstOutputDuration: toDuration(view.firstOutputMs) }),
    ...(view.openUntilMs !== undefined && { openUntil: toTimestamp(view.openUntilMs) }),
    attemptsInFlight: view.inFlight,
    queueLength: view.queueLength,
    keys: view.keys.map(({ name, coolUntilMs, reason }) => ({
      name,
      reason,
      ...(coolUntilMs !== undefined && { coolUntil: toTimestamp(coolUntilMs) }),
    })),
    learnedParameters: view.learned.map(({ name, otherName = "", rejection, untilMs }) => ({
      field: name,
      replacedBy: otherName,
      rejection,
      expireTime: toTimestamp(untilMs),
    })),
  });
}

/** Routing measures fractions of a millisecond, and `durationFromMs` accepts only whole ones. */
function toDuration(ms: number): Duration {
  return durationFromMs(Math.round(ms));
}

function toTimestamp(ms: number): Timestamp {
  return timestampFromMs(Math.round(ms));
}
