// The judge itself: what it has to see, it sees.

import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeAnswer, judgeEvent, judgeRequest } from './judge.mjs';

const SUBSCRIPTION = 'customer=cus_1&items[0][price]=price_1&items[1][price]=price_2&items[1][quantity]=2';

test('a request as the types say is taken', () => {
  assert.deepEqual(judgeRequest('POST', '/v1/subscriptions', `${SUBSCRIPTION}&trial_end=now&expand[]=customer`), []);
  assert.deepEqual(judgeRequest('POST', '/v1/subscriptions', 'customer=cus_1&items[][price]=a&items[][price]=b'), []);
  assert.deepEqual(judgeRequest('GET', '/v1/customers', 'limit=3&created[gte]=1700000000'), []);
});

for (const [name, method, path, form] of [
  ['a parameter that is gone', 'POST', '/v1/subscriptions', `${SUBSCRIPTION}&coupon=half`],
  ['a word that is none of the enum', 'POST', '/v1/subscriptions', `${SUBSCRIPTION}&proration_behavior=perhaps`],
  ['text for a number', 'POST', '/v1/subscriptions', 'customer=cus_1&items[0][quantity]=two'],
  ['what is required and missing', 'POST', '/v1/billing/meter_events', 'event_name=calls'],
  ['a map for an array', 'POST', '/v1/subscriptions', 'customer=cus_1&items[price]=price_1'],
  ['a parameter inside another', 'POST', '/v1/customers', 'address[street]=Main'],
  ['a path that is none', 'GET', '/v1/customer', ''],
]) {
  test(`a request is refused for ${name}`, () => assert.notDeepEqual(judgeRequest(method, path, form), []));
}

const COUPON = {
  id: 'half', object: 'coupon', amount_off: null, created: 1700000000, currency: null, duration: 'forever',
  duration_in_months: null, livemode: false, max_redemptions: null, metadata: {}, name: null, percent_off: 50,
  redeem_by: null, times_redeemed: 0, valid: true,
};

function judgeCoupon(change) {
  return judgeAnswer('GET', '/v1/coupons/half', 200, { ...COUPON, ...change });
}

test('an answer as the types say is taken', () => assert.deepEqual(judgeCoupon({}), []));

test('an answer is refused for one field', () => {
  assert.deepEqual(judgeCoupon({ duration: 'always' }).length, 1);
  assert.deepEqual(judgeCoupon({ valid: null }).length, 1);
  assert.deepEqual(judgeCoupon({ valid: undefined, extra: 1 }).length, 2);
  assert.notDeepEqual(judgeCoupon({ created: '1700000000' }), []);
  assert.notDeepEqual(judgeAnswer('GET', '/v1/coupons', 200, COUPON), []);
});

test('an error is refused for a wrong field', () => {
  const error = { type: 'invalid_request_error', message: 'No such coupon', code: 'resource_missing', param: 'id' };

  assert.deepEqual(judgeAnswer('GET', '/v1/coupons/x', 404, { error }), []);
  assert.notDeepEqual(judgeAnswer('GET', '/v1/coupons/x', 404, { error: { ...error, type: 'made_up' } }), []);
});

test('an event is judged by its type', () => {
  const event = {
    id: 'evt_1', object: 'event', api_version: '2026-10-28.endive', created: 1700000000, livemode: false,
    pending_webhooks: 1, request: null, type: 'coupon.updated',
    data: { object: COUPON, previous_attributes: { name: 'Half' } },
  };

  assert.deepEqual(judgeEvent(event), []);
  assert.notDeepEqual(judgeEvent({ ...event, type: 'customer.subscription.past_due' }), []);
  assert.notDeepEqual(judgeEvent({ ...event, type: 'product.updated' }), []);
  assert.notDeepEqual(judgeEvent({ ...event, data: { ...event.data, previous_attributes: { nme: 'Half' } } }), []);
});
