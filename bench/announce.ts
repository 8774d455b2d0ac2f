/** Sends this process's port to its parent over IPC. Exits when the parent disconnects. */
export function announce(port: number): void {
  process.on("disconnect", () => process.exit());
  process.send?.({ port });
}
