import { readFileSync } from 'node:fs';
import { type AnySchemaObject, Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { z } from 'zod';

type Node = Readonly<Record<string, unknown>>;

/** Formats that the vendors use and JSON Schema does not know; any text will do. */
const OPEN_FORMATS = ['base64url', 'duration', 'uint8', 'binary'];

export interface Operation {
  /** `/contacts/{contactId}`. */
  readonly template: string;
  readonly node: Node;
}

/** One OpenAPI file: finds operations, and holds answers against their schemas. */
export class OpenApiContract {
  readonly #document: Node;
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #operations: readonly { method: string; pattern: RegExp; operation: Operation }[];

  constructor(file: string) {
    this.#document = nodeOf(JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')));
    addFormats.default(this.#ajv);
    for (const format of OPEN_FORMATS) this.#ajv.addFormat(format, true);
    this.#ajv.addSchema({ ...this.#document, $id: 'contract' } satisfies AnySchemaObject);
    this.#operations = Object.entries(nodeOf(this.#document['paths']))
      // A fixed path comes before one with a placeholder: /contacts/search before /contacts/{contactId}.
      .toSorted(([a], [b]) => a.split('{').length - b.split('{').length)
      .flatMap(([template, methods]) =>
        Object.entries(nodeOf(methods)).map(([method, node]) => ({
          method: method.toUpperCase(),
          pattern: patternOf(template),
          operation: { template, node: nodeOf(node) },
        })),
      );
  }

  operation(method: string, path: string): Operation | undefined {
    return this.#operations.find((one) => one.method === method && one.pattern.test(path))
      ?.operation;
  }

  /** Where the schema of an answer is; undefined when the operation has no such status, null when it has no schema. */
  schemaOf({ node }: Operation, status: number): string | null | undefined {
    const responses = nodeOf(node['responses']);
    const found = responses[status] ?? responses[`${String(status)[0]}XX`] ?? responses['default'];
    if (found === undefined) return undefined;
    const content = nodeOf(this.resolve(nodeOf(found))['content'] ?? {});
    const [media] = Object.values(content);
    if (media === undefined) return null;
    const { $ref } = nodeOf(nodeOf(media)['schema']);
    if (typeof $ref !== 'string') throw new Error(`${JSON.stringify(media)} has no named schema`);
    return $ref;
  }

  statusesOf({ node }: Operation): readonly string[] {
    return Object.keys(nodeOf(node['responses']));
  }

  /** What is wrong with a value, schema and names of properties both. */
  problemsOf(value: unknown, $ref: string, isKnownElsewhere: (name: string) => boolean): string[] {
    return [
      ...this.schemaProblems(value, $ref),
      ...this.#unknownNames(value, { $ref }, '', isKnownElsewhere),
    ];
  }

  schemaProblems(value: unknown, $ref: string): string[] {
    const known = this.#validators.get($ref);
    const validate = known ?? this.#ajv.compile({ $ref: `contract${$ref}` });
    this.#validators.set($ref, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message = 'does not fit', params }) =>
        `${instancePath || '(body)'} ${message} ${JSON.stringify(params)}`,
    );
  }

  resolve(node: Node): Node {
    const { $ref } = node;
    if (typeof $ref !== 'string') return node;
    let at: unknown = this.#document;
    for (const part of $ref.slice(2).split('/')) {
      at = nodeOf(at)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
    }
    return this.resolve(nodeOf(at));
  }

  #unknownNames(
    value: unknown,
    schema: Node,
    path: string,
    isKnownElsewhere: (name: string) => boolean,
  ): string[] {
    if (Array.isArray(value)) {
      const items = this.#parts(schema).find((part) => part['items'] !== undefined)?.['items'];
      if (items === undefined) return [];
      return value.flatMap((item, at) =>
        this.#unknownNames(item, nodeOf(items), `${path}/${at}`, isKnownElsewhere),
      );
    }
    if (typeof value !== 'object' || value === null) return [];
    const parts = this.#parts(schema);
    const properties = Object.fromEntries(
      parts.flatMap((part) => Object.entries(nodeOf(part['properties'] ?? {}))),
    );
    // An object without named properties is a map.
    if (Object.keys(properties).length === 0) return [];
    return Object.entries(value).flatMap(([name, inner]) => {
      const known = properties[name];
      if (known !== undefined)
        return this.#unknownNames(inner, nodeOf(known), `${path}/${name}`, isKnownElsewhere);
      return isKnownElsewhere(name) ? [] : [`${path}/${name} is no property of the schema`];
    });
  }

  /** A schema, and those that it is put together from. */
  #parts(schema: Node): readonly Node[] {
    const own = this.resolve(schema);
    const combined = ['allOf', 'anyOf', 'oneOf'].flatMap((key) => {
      const list = own[key];
      return Array.isArray(list) ? list.map((part) => nodeOf(part)) : [];
    });
    return [own, ...combined.flatMap((part) => this.#parts(part))];
  }
}

const NodeSchema = z.record(z.string(), z.unknown());

function nodeOf(value: unknown): Node {
  return NodeSchema.parse(value);
}

function patternOf(template: string): RegExp {
  const escaped = template.replaceAll(/[$().]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`);
}
