import type { Role } from "../config/config.ts";
import { GatewayError } from "../errors.ts";

export type { Role } from "../config/config.ts";

/** Part of a caller that decides which methods it may call. */
export interface RoleHolder {
  readonly role: Role;
  /** How the caller can get another role, for the error ROLE_NOT_ALLOWED. */
  readonly roleAdvice: string;
}

/**
 * Headers of which proxies add one or more: RFC 7239 and its predecessors, and RFC 9110, section 7.6.3. nginx adds none
 * by itself, and many of its configurations add only `x-real-ip` or `x-forwarded-proto`.
 */
export const proxyHeaders = [
  "forwarded",
  "x-forwarded-for",
  "via",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
] as const;

/** Returns the header that shows that a proxy forwarded the request, even if it is empty. Undefined: there is none. */
export function proxyHeaderOf(headers: {
  get(name: string): string | null;
}): (typeof proxyHeaders)[number] | undefined {
  return proxyHeaders.find((name) => headers.get(name) !== null);
}

/** Roles that include a role, the role itself first. */
const sufficient: Readonly<Record<Role, readonly Role[]>> = {
  caller: ["caller", "viewer", "admin"],
  viewer: ["viewer", "admin"],
  admin: ["admin"],
};

/** Throws ROLE_NOT_ALLOWED if a role does not allow a method that requires `required`. */
export function requireRole({ role, roleAdvice }: RoleHolder, required: Role, method: string): void {
  const allowed = sufficient[required];
  if (allowed.includes(role)) return;
  const message = `${method} requires the role ${allowed.join(" or ")}, and yours is ${role}; ${roleAdvice}`;
  throw new GatewayError("ROLE_NOT_ALLOWED", message, { metadata: { required_role: required, role } });
}
