// node judge_recorded.mjs FILE...: judges recorded exchanges; a JSON report on standard output.

import { readFileSync } from 'node:fs';
import { judgeAnswer, judgeEvent, judgeRequest, routeOf } from './judge.mjs';

const checked = { answers: 0, errors: 0, events: 0, requests: 0, requests_of_adapter: 0 };
const routes = new Set();
const found = new Map();

function add(kind, where, wrong, exchange) {
  for (const what of wrong) {
    const key = `${kind} ${where}: ${what}`;
    const one = found.get(key) ?? { what: key, times: 0, example: exchange };

    one.times += 1;
    found.set(key, one);
  }
}

function judge(one) {
  if (one.signed) {
    const event = JSON.parse(one.body);

    checked.events += 1;
    add('event', event.type, judgeEvent(event), one);
    return;
  }
  // Control calls are ours; 501 is what the simulator says it does not do.
  if (!one.path.startsWith('/v1/') || one.status === 501) return;
  const route = routeOf(one.method, one.path)?.route;
  const ours = one.agent.startsWith('billingos/');

  if (one.status < 400) {
    checked.answers += 1;
    routes.add(route);
  } else {
    checked.errors += 1;
  }
  add('answer', route ?? `${one.method} ${one.path}`,
    judgeAnswer(one.method, one.path, one.status, JSON.parse(one.answer)), one);
  // The simulator takes nothing, and the adapter sends nothing, that the version does not define.
  if (ours || one.status < 400) {
    checked.requests += 1;
    checked.requests_of_adapter += ours;
    const form = [one.query, one.method === 'POST' ? one.body : ''].filter(Boolean).join('&');
    add('request', route ?? `${one.method} ${one.path}`, judgeRequest(one.method, one.path, form), one);
  }
}

for (const file of process.argv.slice(2)) {
  for (const line of readFileSync(file, 'utf8').split('\n')) if (line !== '') judge(JSON.parse(line));
}
process.stdout.write(JSON.stringify({ checked, routes: [...routes].sort(), violations: [...found.values()] }));
