/**
 * The policy that comes with the package, a file of YAML: for the tools of Mployer, GoHighLevel and Microsoft Graph, and for
 * programs in the sandbox. Copy it, and make it yours.
 */
// Of this depth on purpose: from `src` and from `dist`, the way is the same.
export const defaultPolicyFile = new URL('../config/governance_policies.yaml', import.meta.url);
