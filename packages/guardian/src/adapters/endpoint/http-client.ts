import { Agent as HttpAgent, type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';

/** A request to an endpoint, whichever way it goes. */
export interface EndpointRequest {
  /** Default GET. */
  method?: string;
  /** Resolved against the URL of the way that is taken. Default: that URL itself. */
  path?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface EndpointAnswer extends HttpAnswer {
  /** The path by which it came. */
  path: string;
  /** It is an old one, given because no other was to be had. */
  isStale: boolean;
}

export interface HttpWay {
  url: string;
  localAddress?: string | undefined;
}

/** Connections that are kept and used again, until they are dropped all at once. */
export class HttpClient {
  readonly #lookup: LookupFunction | undefined;
  readonly #ca: string | undefined;
  #agents = makeAgents();

  constructor(options: { lookup: LookupFunction | undefined; ca: string | undefined }) {
    this.#lookup = options.lookup;
    this.#ca = options.ca;
  }

  /** Also those in use: whoever waits on one is told that it is gone. */
  dropConnections(): void {
    const { http, https } = this.#agents;
    this.#agents = makeAgents();
    http.destroy();
    https.destroy();
  }

  send(way: HttpWay, request: EndpointRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const url = request.path === undefined ? new URL(way.url) : new URL(request.path, way.url);
    const isTls = url.protocol === 'https:';
    const options = {
      method: request.method ?? 'GET',
      headers: { ...request.headers },
      agent: isTls ? this.#agents.https : this.#agents.http,
      signal,
      ...(this.#lookup && { lookup: this.#lookup }),
      ...(this.#ca !== undefined && { ca: this.#ca }),
      ...(way.localAddress !== undefined && { localAddress: way.localAddress }),
    };
    return new Promise((resolve, reject) => {
      const sent = (isTls ? requestHttps : requestHttp)(url, options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      });
      sent.once('error', reject);
      sent.end(request.body);
    });
  }
}

function makeAgents(): { http: HttpAgent; https: HttpsAgent } {
  return { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) };
}
