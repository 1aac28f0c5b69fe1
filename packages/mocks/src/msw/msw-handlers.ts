import { http, type HttpHandler, HttpResponse } from 'msw';
import { LostConnectionTypeError } from '../wire/fetch.ts';
import type { Mock } from '../wire/exchange.ts';
import { VENDOR_ORIGINS } from '../wire/vendor-origins.ts';

export interface MswHandlersOptions<Name extends string> {
  /** Where a mock is to be found instead of at its vendor's address: `http://localhost:3000`. */
  readonly origins?: Readonly<Partial<Record<Name, string>>>;
}

/**
 * Lets MSW answer whatever is sent to the providers' addresses from the mocks, faults included.
 * @example
 * const msw = setupServer(...mswHandlers({ crm: createGoHighLevelMock() }));
 * msw.listen({ onUnhandledFrame: 'error' });
 */
export function mswHandlers<Name extends string>(
  mocks: Readonly<Record<Name, Mock>>,
  { origins }: MswHandlersOptions<Name> = {},
): HttpHandler[] {
  const givenOrigins = new Map(Object.entries<string | undefined>(origins ?? {}));
  return Object.entries<Mock>(mocks).map(([name, { provider, fetch }]) => {
    const origin = givenOrigins.get(name) ?? VENDOR_ORIGINS[provider];
    return http.all(`${origin}/*`, async ({ request }) => {
      try {
        return await fetch(request);
      } catch (error) {
        // Whoever has aborted knows already; MSW would print it.
        const isMeant = error instanceof LostConnectionTypeError || request.signal.aborted;
        if (isMeant) return HttpResponse.error();
        throw error;
      }
    });
  });
}
