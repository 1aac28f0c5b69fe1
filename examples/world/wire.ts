import type { ReportSection } from '@buddy/agents';
import type { Clock } from '@buddy/core';
import {
  createGoHighLevelMock,
  createGraphMailMock,
  createMployerMock,
  startMockServer,
} from '@buddy/mocks';
import { SAMPLE_CONTACTS } from './tools.ts';

/** The three providers as servers on this machine, for real clients to speak to. */
export interface Wire {
  /** What the real clients are configured with. */
  environment: Readonly<Record<string, string>>;
  /** What came over the wire, for the report. */
  sections: () => readonly ReportSection[];
  close: () => Promise<void>;
}

const LOCATION_ID = 'buddyExampleLocation';

export async function startWire(seed: number | string, clock: Clock): Promise<Wire> {
  const common = { seed, faults: 'seed' } as const;
  const mocks = {
    mployer: createMployerMock(common, { clock }),
    gohighlevel: createGoHighLevelMock(
      { ...common, contacts: SAMPLE_CONTACTS, locationId: LOCATION_ID },
      { clock },
    ),
    msgraph: createGraphMailMock(common, { clock }),
  };
  const { url, close } = await startMockServer({ mocks, https: false });
  return {
    environment: {
      DRY_RUN: 'false',
      MPLOYER_BASE_URL: url.mployer,
      GOHIGHLEVEL_BASE_URL: url.gohighlevel,
      GOHIGHLEVEL_LOCATION_ID: LOCATION_ID,
      GOHIGHLEVEL_TOKEN: 'pit-example',
      MSGRAPH_BASE_URL: `${url.msgraph}/v1.0`,
      MSGRAPH_ACCESS_TOKEN: 'example.access.token',
    },
    sections: () => [
      {
        title: 'Over the wire',
        nextStep: null,
        parts: [
          {
            kind: 'table',
            columns: [
              { name: 'provider' },
              { number: 'calls' },
              { number: 'answered' },
              { number: 'refused or lost' },
              { number: 'by a fault put there' },
            ],
            rows: Object.values(mocks).map(({ provider, journal }) => {
              const entries = journal.entries();
              const answered = entries.filter(({ outcome }) => outcome === 'answered').length;
              const faulty = entries.filter(({ fault }) => fault !== undefined).length;
              return [
                provider,
                String(journal.total),
                String(answered),
                String(entries.length - answered),
                String(faulty),
              ];
            }),
            file: null,
          },
          {
            kind: 'text',
            text: 'As the servers counted them. All but the calls are of the latest 10 000 of each provider.',
          },
        ],
      },
    ],
    close,
  };
}
