// The official Node SDK drives the simulator.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import Stripe from 'stripe';

const [host, port] = process.env.SIM_ADDRESS.split(':');
const options = { host, port, protocol: 'http', timeout: 3000, maxNetworkRetries: 0 };
const platform = new Stripe(process.env.STRIPE_API_KEY, options);
const deliveries = [];
let account, stripe, receiver, secret, price;

async function control(method, path, body) {
  const answer = await fetch(`http://${process.env.SIM_ADDRESS}/_sim/${path}`, {
    method, headers: { 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });

  assert.equal(answer.status, 200);
}

async function until(condition, what) {
  for (let i = 0; i < 500; i++) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail(`not in time: ${what}`);
}

const deliveredTypes = () => deliveries.map((one) => JSON.parse(one.body).type);

before(async () => {
  receiver = createServer(async (request, answer) => {
    const parts = [];

    for await (const part of request) parts.push(part);
    deliveries.push({ body: Buffer.concat(parts).toString(), header: request.headers['stripe-signature'] });
    answer.end();
  });
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  receiver.unref();
  ({ secret } = await platform.webhookEndpoints.create({
    url: `http://127.0.0.1:${receiver.address().port}/hook`, enabled_events: ['*'], connect: true,
  }));
  account = await platform.accounts.create({
    country: 'DE', email: 'merchant@example.com',
    controller: {
      stripe_dashboard: { type: 'express' }, fees: { payer: 'application' }, losses: { payments: 'application' },
      requirement_collection: 'stripe',
    },
    capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
  });
  await control('POST', `accounts/${account.id}/onboard`);
  stripe = new Stripe(process.env.STRIPE_API_KEY, { ...options, stripeAccount: account.id });
  const product = await stripe.products.create({ name: 'Pro', metadata: { plan: 'pro' } });
  price = await stripe.prices.create({
    product: product.id, currency: 'eur', unit_amount: 1900, recurring: { interval: 'month' },
  });
});

after(async () => {
  for (const one of (await platform.webhookEndpoints.list()).data) await platform.webhookEndpoints.del(one.id);
  receiver.close();
  receiver.closeAllConnections();
});

async function customerWith(card) {
  const customer = await stripe.customers.create({ email: 'a@example.com', name: 'Zoë', metadata: { ours: '1' } });
  const method = await stripe.paymentMethods.attach(card, { customer: customer.id });

  return stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id } });
}

const subscribe = (customer, more = {}, request = undefined) =>
  stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }], ...more }, request);

test('the account is onboarded with links', async () => {
  const link = await platform.accountLinks.create({
    account: account.id, type: 'account_onboarding', return_url: 'https://example.com/done',
    refresh_url: 'https://example.com/again',
  });

  assert.match(link.url, /^http/);
  assert.match((await platform.accounts.createLoginLink(account.id)).url, /^http/);
  assert.equal((await platform.accounts.retrieve(account.id)).charges_enabled, true);
  assert.equal((await stripe.accounts.retrieveCurrent()).id, account.id);
});

test('a subscription from creation to cancellation', async () => {
  const customer = await customerWith('pm_card_visa');
  const made = await subscribe(customer, { expand: ['latest_invoice.payments', 'customer'] });

  assert.equal(made.status, 'active');
  assert.equal(made.customer.id, customer.id);
  assert.equal(made.latest_invoice.status, 'paid');
  assert.equal(made.latest_invoice.amount_paid, 1900);
  const [payment] = made.latest_invoice.payments.data;
  const intent = await stripe.paymentIntents.retrieve(payment.payment.payment_intent, { expand: ['latest_charge'] });
  assert.equal(intent.latest_charge.paid, true);

  const changed = await stripe.subscriptions.update(made.id, {
    items: [{ id: made.items.data[0].id, quantity: 3 }], proration_behavior: 'always_invoice', metadata: { seats: '3' },
  });
  assert.equal(changed.items.data[0].quantity, 3);
  assert.equal(changed.metadata.seats, '3');
  assert.equal((await stripe.subscriptions.update(made.id, { cancel_at_period_end: true })).cancel_at_period_end, true);
  assert.equal((await stripe.subscriptions.update(made.id, { cancel_at_period_end: false })).cancel_at, null);
  await stripe.subscriptions.update(made.id, { pause_collection: { behavior: 'void' } });
  await stripe.subscriptions.update(made.id, { pause_collection: '' });
  assert.equal((await stripe.subscriptions.cancel(made.id)).status, 'canceled');
  assert.equal((await stripe.subscriptions.retrieve(made.id)).status, 'canceled');
  await until(() => deliveredTypes().includes('customer.subscription.deleted'), 'customer.subscription.deleted');
});

test('a trial ends on its own clock, the card fails, and is replaced', async () => {
  const now = Math.floor(Date.now() / 1000);
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: now, name: 'trial' });
  const customer = await stripe.customers.create({ test_clock: clock.id, name: 'Ada' });
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: failing.id } });
  const made = await subscribe(customer, { trial_period_days: 14 });

  assert.equal(made.status, 'trialing');
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: now + 15 * 86400 });
  await untilReady(clock);
  const due = await stripe.subscriptions.retrieve(made.id, { expand: ['latest_invoice'] });
  assert.equal(due.status, 'past_due');
  await assert.rejects(stripe.invoices.pay(due.latest_invoice.id), (error) => error instanceof Stripe.errors.StripeCardError);

  const working = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id });
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: working.id } });
  assert.equal((await stripe.invoices.pay(due.latest_invoice.id)).status, 'paid');
  assert.equal((await stripe.subscriptions.retrieve(made.id)).status, 'active');
  await stripe.paymentMethods.detach(failing.id);
  assert.equal((await stripe.testHelpers.testClocks.del(clock.id)).deleted, true);
});

async function untilReady(clock) {
  for (let i = 0; i < 200; i++) {
    if ((await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'ready') return;
    await new Promise((done) => setTimeout(done, 20));
  }
  assert.fail('the clock did not arrive');
}

test('the catalogue: prices with tiers, coupons, meters and their events', async () => {
  const product = await stripe.products.create({ name: 'API' });
  const tiers = await stripe.prices.create({
    product: product.id, currency: 'eur', billing_scheme: 'tiered', tiers_mode: 'graduated',
    recurring: { interval: 'month' }, expand: ['tiers'],
    tiers: [{ up_to: 100, unit_amount: 10 }, { up_to: 'inf', unit_amount_decimal: Stripe.Decimal.from('0.5') }],
  });

  assert.equal(tiers.tiers.length, 2);
  assert.equal((await stripe.prices.update(tiers.id, { active: false, nickname: 'old' })).active, false);
  const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'repeating', duration_in_months: 3 });
  const customer = await customerWith('pm_card_visa');
  const made = await subscribe(customer, { discounts: [{ coupon: coupon.id }], expand: ['latest_invoice'] });
  assert.equal(made.latest_invoice.total, 1425);
  assert.equal((await stripe.coupons.del(coupon.id)).deleted, true);

  const meter = await stripe.billing.meters.create({
    display_name: 'Calls', event_name: `calls_${Date.now()}`, default_aggregation: { formula: 'sum' },
  });
  const now = Math.floor(Date.now() / 1000);
  await stripe.billing.meterEvents.create({
    event_name: meter.event_name, payload: { stripe_customer_id: customer.id, value: '7' }, timestamp: now,
  });
  const from = now - (now % 60) - 600;
  const sums = await stripe.billing.meters.listEventSummaries(meter.id, {
    customer: customer.id, start_time: from, end_time: from + 1200,
  });
  assert.equal(sums.data[0].aggregated_value, 7);
  assert.equal((await stripe.billing.meters.deactivate(meter.id)).status, 'inactive');
  assert.equal((await stripe.products.del((await stripe.products.create({ name: 'Gone' })).id)).deleted, true);
});

test('lists are paged through, forwards and backwards', async () => {
  const made = [];

  for (let i = 0; i < 25; i++) made.push((await stripe.customers.create({ email: 'page@example.com', name: `${i}` })).id);
  const list = () => stripe.customers.list({ email: 'page@example.com', limit: 10 });
  const forwards = [];
  for await (const customer of list()) forwards.push(customer.id);
  assert.deepEqual(forwards, made.toReversed());
  assert.equal((await list().autoPagingToArray({ limit: 100 })).length, 25);
  const backwards = await stripe.customers
    .list({ email: 'page@example.com', limit: 10, ending_before: made[0] }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(backwards.map((one) => one.id), made.slice(1));
});

test('the same key gets the same answer, and another request with it an error', async () => {
  const request = { idempotencyKey: `key-${Date.now()}` };
  const first = await stripe.customers.create({ name: 'Once' }, request);
  const again = await stripe.customers.create({ name: 'Once' }, request);

  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
  assert.equal(first.lastResponse.idempotencyKey, request.idempotencyKey);
  await assert.rejects(stripe.customers.create({ name: 'Twice' }, request),
    (error) => error instanceof Stripe.errors.StripeIdempotencyError && error.statusCode === 400);
});

for (const action of ['500_before', 'drop_before', 'drop_after_commit', 'lock_timeout', '409_in_use']) {
  test(`the SDK repeats a request after ${action}, and it happens once`, async () => {
    const patient = new Stripe(process.env.STRIPE_API_KEY, {
      ...options, stripeAccount: account.id, maxNetworkRetries: 2,
    });
    const email = `${action.replaceAll('_', '-')}@example.com`;

    await control('POST', 'faults', { action, times: 1, match: { path_regex: '^/v1/customers$', method: 'POST' } });
    const made = await patient.customers.create({ email });
    const all = await stripe.customers.list({ email });
    assert.deepEqual(all.data.map((one) => one.id), [made.id]);
  });
}

test('errors have the classes of the SDK', async () => {
  const { errors } = Stripe;
  const poor = await customerWith('pm_card_chargeCustomerFail');

  await assert.rejects(subscribe(poor, { payment_behavior: 'error_if_incomplete' }), (error) =>
    error instanceof errors.StripeCardError && error.code === 'card_declined' && error.statusCode === 402 &&
    error.decline_code.length > 0);
  await assert.rejects(stripe.customers.retrieve('cus_none'), (error) =>
    error instanceof errors.StripeInvalidRequestError && error.code === 'resource_missing' && error.statusCode === 404);
  await assert.rejects(stripe.customers.create({ nickname: 'x' }), (error) =>
    error instanceof errors.StripeInvalidRequestError && error.code === 'parameter_unknown' && error.param === 'nickname');
  await assert.rejects(new Stripe('sk_test_wrong', options).customers.list(), errors.StripeAuthenticationError);
  await assert.rejects(platform.customers.list({}, { stripeAccount: 'acct_none' }), errors.StripePermissionError);
  await control('POST', 'faults', { action: 'rate_limit', times: 1, match: { path_regex: '^/v1/customers$' } });
  await assert.rejects(stripe.customers.list(), errors.StripeRateLimitError);
});

test('an account sees nothing of another one', async () => {
  const customer = await stripe.customers.create({ name: 'Mine' });

  await assert.rejects(platform.customers.retrieve(customer.id), { code: 'resource_missing' });
});

test('events are listed, and delivered with signatures that the SDK verifies', async () => {
  const product = await stripe.products.create({ name: 'Signed ✓' });
  const events = await stripe.events.list({ types: ['product.created'], limit: 1 });

  assert.equal(events.data[0].data.object.id, product.id);
  const isOurs = (one) => JSON.parse(one.body).id === events.data[0].id;
  await until(() => deliveries.some(isOurs), 'product.created');
  for (const { body, header } of deliveries) {
    const event = platform.webhooks.constructEvent(body, header, secret);
    assert.equal(event.account, account.id);
    assert.equal(event.api_version, Stripe.API_VERSION);
  }
  const { body, header } = deliveries.find(isOurs);
  const refuses = (...wrong) => assert.throws(() => platform.webhooks.constructEvent(...wrong),
    Stripe.errors.StripeSignatureVerificationError);
  refuses(body.replace('Signed', 'signed'), header, secret);
  refuses(body, header.replace(/v1=./, (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')), secret);
  refuses(body, header, `${secret}x`);
  refuses(body, header.replace(/t=\d+/, 't=1700000000'), secret);
});
