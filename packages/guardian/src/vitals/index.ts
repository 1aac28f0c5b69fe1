export { reportVitals, type VitalsReporter, type VitalsReporterOptions } from './report-vitals.ts';
