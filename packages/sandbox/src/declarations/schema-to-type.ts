import { z } from 'zod';

type JsonSchema = z.core.JSONSchema.BaseSchema;
/** `true` allows anything, `false` nothing. */
type AnySchema = JsonSchema | boolean;

/** A zod schema as a TypeScript type; `unknown` where it says more than a type can. */
export function schemaToType(schema: z.ZodType, io: 'input' | 'output', indent: string): string {
  return typeOf(z.toJSONSchema(schema, { io, unrepresentable: 'any' }), indent);
}

function typeOf(schema: AnySchema, indent: string): string {
  if (typeof schema === 'boolean') return schema ? 'unknown' : 'never';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return union.map((part) => typeOf(part, indent)).join(' | ');
  if (schema.allOf) return schema.allOf.map((part) => `(${typeOf(part, indent)})`).join(' & ');
  if (Array.isArray(schema.type))
    return schema.type.map((type) => typeOf({ ...schema, type }, indent)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return arrayOf(schema, indent);
    case 'object':
      return objectOf(schema, indent);
    case undefined:
    default:
      return 'unknown';
  }
}

function arrayOf({ items, prefixItems }: JsonSchema, indent: string): string {
  if (prefixItems) return `[${prefixItems.map((item) => typeOf(item, indent)).join(', ')}]`;
  return `Array<${items === undefined || Array.isArray(items) ? 'unknown' : typeOf(items, indent)}>`;
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: JsonSchema,
  indent: string,
): string {
  const names = Object.keys(properties);
  if (names.length === 0) {
    const values =
      typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown';
    return `Record<string, ${values}>`;
  }
  const inner = `${indent}  `;
  const members = names.map((name) => {
    const schema = properties[name] ?? {};
    const comment =
      typeof schema === 'object' && schema.description
        ? `${inner}/** ${oneLine(schema.description)} */\n`
        : '';
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `${comment}${inner}${key}${required.includes(name) ? '' : '?'}: ${typeOf(schema, inner)};`;
  });
  return `{\n${members.join('\n')}\n${indent}}`;
}

/** Text that cannot end the comment it stands in. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('*/', '* /').trim();
}
