// Requests are forms. What the types say of parameters is turned into what they look like in one.

const INTEGER = /^\d+$/;

// [] is the next element, or still the last one while that lacks the key that follows.
function elementOf(target, rest) {
  const count = Object.keys(target).length;
  const isNext = count === 0 || rest.length === 0 || rest[0] in target[count - 1];

  return String(isNext ? count : count - 1);
}

function put(target, [name, ...rest], value) {
  const key = name === '' ? elementOf(target, rest) : name;

  if (rest.length === 0) target[key] = value;
  else put((target[key] ??= {}), rest, value);
}

// Maps whose keys are all numbers are arrays.
function withArrays(value) {
  if (typeof value !== 'object') return value;
  const keys = Object.keys(value);

  if (keys.length > 0 && keys.every((key) => INTEGER.test(key))) return keys.map((key) => withArrays(value[key]));
  return Object.fromEntries(keys.map((key) => [key, withArrays(value[key])]));
}

// items[0][price]=price_1&expand[]=customer as {items: [{price: 'price_1'}], expand: ['customer']}
export function decode(text) {
  const decoded = {};

  for (const [name, value] of new URLSearchParams(text)) {
    put(decoded, name.split('[').map((part) => part.replace(/\]$/, '')), value);
  }
  return Object.fromEntries(Object.entries(decoded).map(([key, value]) => [key, withArrays(value)]));
}

// The schema of a decoded form, where all leaves are strings and nothing is the empty one.
export function asForm(schema) {
  if (Array.isArray(schema)) return schema.map(asForm);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('const' in schema) return { const: String(schema.const) };
  if ('enum' in schema) return { enum: schema.enum.map(String) };
  if (schema.type === 'boolean') return { enum: ['true', 'false'] };
  if (schema.type === 'null') return { const: '' };
  if (schema.type === 'number') return { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?$' };
  const made = {};

  for (const [key, value] of Object.entries(schema)) {
    made[key] = key === 'properties' || key === 'definitions'
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, asForm(one)]))
      : key === 'required' ? value : asForm(value);
  }
  return made;
}
