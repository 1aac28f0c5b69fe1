declare module 'har-schema' {
  /** The JSON Schemas (draft 6) of HAR 1.2, each with its own `$id`. */
  const schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  export = schemas;
}
