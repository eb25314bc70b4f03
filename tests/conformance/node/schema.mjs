// JSON Schemas made from the types of the package "stripe": for each of its routes the parameters and
// the answer, for each event type the event, and the error. TypeScript's own checker reads the types.
//
// A route is found in the package's JavaScript (`_makeRequest('POST', '/v1/customers', ...)`), its types
// in the declaration of the method with the same name. The result is kept beside the package until the
// package or this file changes.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, '..', 'node_modules');
const STRIPE = join(MODULES, 'stripe', 'esm');
const DECIMAL = { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]+)?$' };

// What a union leaves out: no value, and the escape that keeps the SDK's enums open.
const NOTHING = Symbol('nothing');

class Converter {
  constructor(checker) {
    this.checker = checker;
    this.definitions = {};
    this.names = new Map();
  }

  convert(type) {
    const flags = type.flags;
    const symbol = type.aliasSymbol?.name ?? type.symbol?.name;

    if (symbol === 'Decimal' || symbol === 'DecimalImpl') return DECIMAL;
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (flags & (ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)) return { const: type.value };
    if (flags & ts.TypeFlags.BooleanLiteral) return { const: type.intrinsicName === 'true' };
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (flags & ts.TypeFlags.String) return { type: 'string' };
    if (flags & ts.TypeFlags.Number) return { type: 'number' };
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) return NOTHING;
    if (flags & ts.TypeFlags.Never) return { not: {} };
    if (type.isUnion()) return this.union(type);
    if (type.isIntersection() && type.types.some((one) => one.flags & ts.TypeFlags.String)) return NOTHING;
    if (this.checker.isArrayType(type)) {
      return { type: 'array', items: this.convert(this.checker.getTypeArguments(type)[0]) };
    }
    if (flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return this.object(type);
    return {};
  }

  union(type) {
    const kept = type.types.map((one) => this.convert(one)).filter((one) => one !== NOTHING);
    const rest = kept.filter((one) => !('const' in one));
    const values = kept.filter((one) => 'const' in one).map((one) => one.const);

    if (values.length > 0) rest.push({ enum: values });
    if (rest.length === 0) return NOTHING;
    return rest.length === 1 ? rest[0] : { anyOf: rest };
  }

  // Registered before its properties are looked at: types refer to each other in circles.
  object(type) {
    if (!this.names.has(type)) {
      const symbol = type.aliasSymbol ?? type.symbol;
      const name = `${this.checker.getFullyQualifiedName(symbol).replace(/^".*"\.?/, '') || 'anon'}.${this.names.size}`;
      const made = { type: 'object', properties: {}, required: [], additionalProperties: false };
      const index = this.checker.getIndexInfoOfType(type, ts.IndexKind.String);

      this.names.set(type, name);
      this.definitions[name] = made;
      for (const property of this.checker.getPropertiesOfType(type)) {
        const schema = this.convert(this.checker.getTypeOfSymbol(property));

        // What the SDK adds to an answer itself is not in the body.
        if (schema === NOTHING || property.name === 'lastResponse') continue;
        made.properties[property.name] = schema;
        if (!(property.flags & ts.SymbolFlags.Optional)) made.required.push(property.name);
      }
      if (index) made.additionalProperties = this.convert(index.type);
    }
    return { $ref: `#/definitions/${this.names.get(type)}` };
  }
}

// {method of the class: ["POST /v1/customers/{}", ...]} from the JavaScript beside a declaration.
function routesOf(file) {
  const routes = {};
  let name = null;

  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const begins = /^ {4}(?:async )?(\w+)\([^)]*\) \{$/.exec(line);
    const calls = /this\._makeRequest\('(\w+)', [`']([^`']+)[`']/.exec(line);

    if (begins) name = begins[1];
    if (calls) (routes[name] ??= []).push(`${calls[1]} ${calls[2].replace(/\$\{[^}]*\}/g, '{}')}`);
  }
  return routes;
}

// The type of the body that a method promises: Promise<Response<T>>, ApiListPromise<T> (a list of T).
function answerOf(checker, node) {
  const name = node?.typeName?.getText();
  const argument = node?.typeArguments?.[0];

  if (name === 'Promise' && argument?.typeName?.getText() === 'Response') {
    return { type: checker.getTypeFromTypeNode(argument.typeArguments[0]), list: null };
  }
  if (name === 'ApiListPromise' || name === 'ApiSearchResultPromise' || name === 'V2List') {
    return { type: checker.getTypeFromTypeNode(argument), list: name };
  }
  return null;
}

function listOf(item, kind) {
  const search = kind === 'ApiSearchResultPromise';

  return {
    type: 'object', required: ['object', 'data', 'has_more', 'url'], additionalProperties: false,
    properties: {
      object: { const: search ? 'search_result' : 'list' }, data: { type: 'array', items: item },
      has_more: { type: 'boolean' }, url: { type: 'string' },
      ...(search ? { next_page: { type: ['string', 'null'] }, total_count: { type: 'number' } } : {}),
    },
  };
}

function addRoutes(converter, source, roots) {
  const routes = routesOf(source.fileName.replace(/\.d\.ts$/, '.js'));

  ts.forEachChild(source, function visit(node) {
    if (!ts.isMethodDeclaration(node) || !routes[node.name.getText()]) {
      ts.forEachChild(node, visit);
      return;
    }
    const answer = answerOf(converter.checker, node.type);
    const params = node.parameters.find((one) => one.name.getText() === 'params');

    if (!answer) return;
    const body = converter.convert(answer.type);
    for (const route of routes[node.name.getText()]) {
      roots.routes[route] = {
        answer: answer.list ? listOf(body, answer.list) : body,
        params: params?.type ? converter.convert(converter.checker.getTypeFromTypeNode(params.type)) : null,
      };
    }
  });
}

function exported(checker, program, file, name) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(STRIPE, file)));
  return checker.getDeclaredTypeOfSymbol(checker.getExportsOfModule(module).find((one) => one.name === name));
}

function make() {
  const files = readdirSync(join(STRIPE, 'resources'), { recursive: true })
    .filter((name) => name.endsWith('.d.ts') && !name.startsWith('V2') && !name.endsWith('index.d.ts'))
    .map((name) => join(STRIPE, 'resources', name));
  const program = ts.createProgram([...files, join(STRIPE, 'Types.d.ts')], {
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, skipLibCheck: true, noEmit: true,
    types: ['node'], typeRoots: [join(MODULES, '@types')],
  });
  const checker = program.getTypeChecker();
  const converter = new Converter(checker);
  const roots = { routes: {}, events: {}, error: null };

  for (const file of files) addRoutes(converter, program.getSourceFile(file), roots);
  for (const type of exported(checker, program, 'resources/Events.d.ts', 'Event').types) {
    const name = checker.getTypeOfSymbol(type.getProperty('type')).value;
    roots.events[name] = converter.convert(type);
  }
  roots.error = converter.convert(exported(checker, program, 'Types.d.ts', 'StripeRawError'));
  return { ...roots, definitions: converter.definitions };
}

export function schemas() {
  const key = createHash('sha256')
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(readFileSync(join(MODULES, 'stripe', 'package.json')))
    .digest('hex').slice(0, 16);
  const file = join(MODULES, '.cache', `stripe-schemas-${key}.json`);

  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(make()));
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}
