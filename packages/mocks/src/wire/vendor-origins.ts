import type { Provider } from '../errors.ts';

/** Where each provider's API lives; Mployer's is made up, of a domain that is reserved for that. */
export const VENDOR_ORIGINS: Readonly<Record<Provider, string>> = {
  gohighlevel: 'https://services.leadconnectorhq.com',
  msgraph: 'https://graph.microsoft.com',
  mployer: 'https://api.mployer.example',
};
