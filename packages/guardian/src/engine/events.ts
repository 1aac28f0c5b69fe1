import type { Incident, Run, StepEntry } from '../incident/incident.ts';
import type { SymptomOutcome } from '../incident/symptom.ts';
import type { Reading } from '../resource/reading.ts';
import type { Certificate, MaintenanceWindow } from '../store/store.ts';
import type { Plan } from './plan.ts';

/** What somebody should look at. */
export type AlertKind =
  | 'refused_limit'
  | 'refused_governance'
  | 'contraindicated'
  | 'unmatched'
  | 'escalated'
  | 'undo_failed'
  | 'step_late'
  | 'for_people'
  | 'outcome_overdue'
  | 'not_armed'
  | 'mttr'
  | 'oldest_open'
  | 'layer'
  | 'store'
  | 'internal';

/** Emitted after what they tell of is kept. `at` is ms since the epoch. */
export interface GuardianEvents {
  started: [event: { at: number; openIncidents: number }];
  stopped: [event: { at: number }];
  symptomReported: [event: { at: number; seq: number; resource: string; signal: string }];
  outcomeDecided: [
    event: { at: number; seq: number; resource: string; outcome: SymptomOutcome; reason: string },
  ];
  incidentOpened: [event: { at: number; incidentId: string; incident: Incident }];
  incidentConfirmed: [event: { at: number; incidentId: string }];
  causeFound: [event: { at: number; incidentId: string; causeId: string; resource: string }];
  incidentParked: [
    event: {
      at: number;
      incidentId: string;
      outcome: SymptomOutcome;
      reason: string;
      retryAt: number;
    },
  ];
  incidentRetried: [event: { at: number; incidentId: string; retries: number }];
  incidentClosed: [event: { at: number; incidentId: string; incident: Incident }];
  runPlanned: [event: { at: number; incidentId: string; runId: string; plan: Plan }];
  runEnded: [event: { at: number; incidentId: string; runId: string; run: Run }];
  stepChanged: [event: { at: number; incidentId: string; runId: string; step: StepEntry }];
  verified: [
    event: { at: number; incidentId: string; runId: string; isGood: boolean; reason: string },
  ];
  recovered: [event: { at: number; incidentId: string; runId: string; undone: number }];
  rolledBack: [event: { at: number; runId: string; undone: number }];
  resourceChanged: [
    event: { at: number; resource: string; from: Reading['status'] | undefined; reading: Reading },
  ];
  maintenanceBegan: [event: { at: number; window: MaintenanceWindow }];
  maintenanceEnded: [event: { at: number; window: MaintenanceWindow }];
  rehearsed: [event: { at: number; playbook: string; certificate: Certificate }];
  alertRaised: [
    event: {
      at: number;
      alert: AlertKind;
      message: string;
      incidentId?: string;
      resource?: string;
    },
  ];
}
