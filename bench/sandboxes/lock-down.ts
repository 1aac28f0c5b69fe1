type NewCompartment = (globals: Record<string, unknown>) => Compartment;

/** Locks this realm down, as SES's README does it. */
export async function lockDown(): Promise<NewCompartment> {
  await import('ses');
  lockdown();
  return (globals) => new Compartment({ globals, __options__: true });
}
