import { z } from 'zod';

const Recipients = z
  .array(
    z.strictObject({
      emailAddress: z.strictObject({
        address: z.email('is not a valid address'),
        name: z.string('must be a string').optional(),
      }),
    }),
    'must be an array',
  )
  .readonly();
export type Recipient = z.input<typeof Recipients>[number];

const ItemBody = z.strictObject({
  contentType: z.enum(['text', 'html'], "must be 'text' or 'html'"),
  content: z.string('must be a string'),
});
export type ItemBody = z.input<typeof ItemBody>;

const InternetMessageHeader = z.strictObject({
  name: z.string('must be a string').regex(/^x-[\w-]+$/i, "must begin with 'x-'"),
  value: z.string('must be a string').max(995, 'must not be longer than 995 characters'),
});
export type InternetMessageHeader = z.input<typeof InternetMessageHeader>;

const Importance = z.enum(['low', 'normal', 'high'], "must be 'low', 'normal' or 'high'");
export type Importance = z.input<typeof Importance>;

/** A message to send; fields named as on the wire (Microsoft Graph v1.0). */
export const OutgoingMessage = z
  .strictObject({
    toRecipients: Recipients.default([]),
    ccRecipients: Recipients.default([]),
    bccRecipients: Recipients.default([]),
    /** Whom an answer should go to; the sender when left out. */
    replyTo: Recipients.default([]),
    subject: z.string('must be a string'),
    body: ItemBody,
    importance: Importance.default('normal'),
    /** At most five. Put a key of your own here to find the message again. */
    internetMessageHeaders: z
      .array(InternetMessageHeader, 'must be an array')
      .max(5, 'must not hold more than 5')
      .readonly()
      .default([]),
  })
  .refine(
    ({ toRecipients, ccRecipients, bccRecipients }) =>
      toRecipients.length + ccRecipients.length + bccRecipients.length > 0,
    'At least one recipient is needed',
  );
/** At least one recipient is needed. */
export type OutgoingMessage = z.input<typeof OutgoingMessage>;
