// Says of recorded exchanges (tests/integration/wire.py) where they differ from the types of "stripe".

import Ajv from 'ajv';
import { asForm, decode } from './form.mjs';
import { schemas } from './schema.mjs';

const MADE = schemas();
const ROUTES = Object.entries(MADE.routes).map(([route, schema]) => {
  const [method, pattern] = route.split(' ');
  const fixed = pattern.replace(/\{\}/g, '').length;

  return { method, route, fixed, schema, match: new RegExp(`^${pattern.replace(/\{\}/g, '[^/]+')}$`) };
}).sort((a, b) => b.fixed - a.fixed); // /v1/customers/search is no customer

const ajv = new Ajv({ strict: false, allErrors: true, inlineRefs: false, validateSchema: false });
const compiled = new Map();

ajv.addSchema({ $id: 'json', definitions: MADE.definitions });
ajv.addSchema({ $id: 'form', definitions: asForm(MADE.definitions) });
ajv.addSchema({ $id: 'partial', definitions: asPart(MADE.definitions) });

// What an event tells of the state before: no more than what changed, and null for a key that is new in a map.
function asPart(definitions) {
  const changed = (key, one) => {
    if (key === 'required' && Array.isArray(one)) return [];
    if (key === 'additionalProperties' && typeof one === 'object') return { anyOf: [one, { type: 'null' }] };
    return one;
  };

  return JSON.parse(JSON.stringify(definitions, changed));
}

function validator(kind, name, schema) {
  const key = `${kind} ${name}`;

  if (!compiled.has(key)) {
    const text = JSON.stringify(kind === 'form' ? asForm(schema) : schema).replaceAll('"#/', `"${kind}#/`);
    compiled.set(key, ajv.compile(JSON.parse(text)));
  }
  return compiled.get(key);
}

// The paths of what is wrong; an alternative's own errors say more than that none fits.
function differences(kind, name, schema, value) {
  const validate = validator(kind, name, schema);

  if (validate(value)) return [];
  const precise = validate.errors.filter((one) => one.keyword !== 'anyOf');
  return (precise.length > 0 ? precise : validate.errors).map((one) => {
    const what = one.params.additionalProperty ?? one.params.allowedValues?.join('|') ?? one.params.allowedValue ?? '';
    return `${one.instancePath.replace(/\/\d+(?=\/|$)/g, '/*')} ${one.message} ${what}`.trim();
  });
}

export function routeOf(method, path) {
  return ROUTES.find((one) => one.method === method && one.match.test(path));
}

// What changed is told in parts, also inside objects; the types say so for the outermost one only.
export function judgeEvent(event) {
  const { previous_attributes: before, ...data } = event.data ?? {};
  const schema = MADE.events[event.type];

  if (!schema) return [`no event has the type ${event.type}`];
  return [
    ...differences('json', `event ${event.type}`, schema, { ...event, data }),
    ...(before ? differences('partial', `event ${event.type}`, schema, { data: { previous_attributes: before } }) : []),
  ];
}

export function judgeAnswer(method, path, status, answer) {
  if (status >= 400) return differences('json', 'error', MADE.error, answer.error);
  const found = routeOf(method, path);

  if (!found) return ['no such route'];
  if (answer.object === 'event') return judgeEvent(answer);
  if (found.route === 'GET /v1/events') {
    return [...answer.data.flatMap(judgeEvent),
      ...differences('json', found.route, found.schema.answer, { ...answer, data: [] })];
  }
  return differences('json', found.route, found.schema.answer, answer);
}

export function judgeRequest(method, path, form) {
  const found = routeOf(method, path);

  if (!found) return ['no such route'];
  const value = decode(form);
  if (found.schema.params === null) return Object.keys(value).map((key) => `takes no parameter ${key}`);
  return differences('form', `params ${found.route}`, found.schema.params, value);
}
