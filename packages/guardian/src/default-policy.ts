/**
 * `policyFor` of all built-in playbooks, a file of YAML for `createGovernance` of @buddy/governance. Copy it, and make it yours.
 */
// Of this depth on purpose: from `src` and from `dist`, the way is the same.
export const guardianPolicyFile = new URL('../config/guardian_policies.yaml', import.meta.url);
