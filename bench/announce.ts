/** Tells the parent process that this one is ready and on which port, and ends this one when the parent is gone. */
export function announce(port: number): void {
  process.on("disconnect", () => process.exit());
  process.send?.({ port });
}
