import { createRedactor } from '@buddy/core';
import { z } from 'zod';
import type { Symptom } from './symptom.ts';

/** Addresses stay: who mends a network has to know which. */
const redactor = createRedactor({ ipAddresses: false });

/** A text that may quote what a program wrote, without the secrets in it. */
export const withoutSecrets = redactor.redactText;

const Data = z.record(z.string(), z.json()).catch({});

/** What is told of trouble, as JSON, without the secrets in it: the tail of a stderr may hold any. */
export function dataWithoutSecrets(data: unknown): Symptom['data'] {
  return Data.parse(redactor.redact(data));
}
