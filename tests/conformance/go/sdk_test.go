// Package conformance drives the simulator with the official Go SDK.
package conformance

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// The newest SDK for Go that can be had is older than the version that the simulator speaks. It asks
// for that version; what its types lack it leaves out.
const apiVersion = "2026-10-28.endive"

type versioned struct{}

func (versioned) RoundTrip(request *http.Request) (*http.Response, error) {
	request.Header.Set("Stripe-Version", apiVersion)
	return http.DefaultTransport.RoundTrip(request)
}

func base() string { return "http://" + os.Getenv("SIM_ADDRESS") }

func client(key string, retries int64) *stripe.Client {
	return stripe.NewClient(key, stripe.WithBackends(stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL:               stripe.String(base()),
		HTTPClient:        &http.Client{Transport: versioned{}, Timeout: 20 * time.Second},
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
		MaxNetworkRetries: stripe.Int64(retries),
	})))
}

func control(t *testing.T, path, body string) {
	t.Helper()
	answer, err := http.Post(base()+"/_sim/"+path, "application/json", strings.NewReader(body))
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v %v", path, answer, err)
	}
	answer.Body.Close()
}

type delivery struct {
	body   []byte
	header string
}

// world is one merchant with an endpoint for its webhooks.
type world struct {
	*stripe.Client
	account, secret, price string
	lock                   sync.Mutex
	deliveries             []delivery
}

func (w *world) ServeHTTP(_ http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	w.lock.Lock()
	defer w.lock.Unlock()
	w.deliveries = append(w.deliveries, delivery{body, request.Header.Get("Stripe-Signature")})
}

func (w *world) delivered() []delivery {
	w.lock.Lock()
	defer w.lock.Unlock()
	return slices.Clone(w.deliveries)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{Client: client(os.Getenv("STRIPE_API_KEY"), 0)}
	receiver := httptest.NewServer(w)
	endpoint := must(w.V1WebhookEndpoints.Create(ctx, &stripe.WebhookEndpointCreateParams{
		URL: stripe.String(receiver.URL + "/hook"), EnabledEvents: []*string{stripe.String("*")},
		Connect: stripe.Bool(true),
	}))(t)
	t.Cleanup(func() {
		must(w.V1WebhookEndpoints.Delete(ctx, endpoint.ID, nil))(t)
		receiver.Close()
	})
	w.secret = endpoint.Secret
	account := &stripe.AccountCreateParams{
		Country: stripe.String("DE"),
		Controller: &stripe.AccountCreateControllerParams{
			StripeDashboard:       &stripe.AccountCreateControllerStripeDashboardParams{Type: stripe.String("express")},
			Fees:                  &stripe.AccountCreateControllerFeesParams{Payer: stripe.String("application")},
			Losses:                &stripe.AccountCreateControllerLossesParams{Payments: stripe.String("application")},
			RequirementCollection: stripe.String("stripe"),
		},
		Capabilities: &stripe.AccountCreateCapabilitiesParams{
			CardPayments: &stripe.AccountCreateCapabilitiesCardPaymentsParams{Requested: stripe.Bool(true)},
			Transfers:    &stripe.AccountCreateCapabilitiesTransfersParams{Requested: stripe.Bool(true)},
		},
	}
	w.account = must(w.V1Accounts.Create(ctx, account))(t).ID
	control(t, "accounts/"+w.account+"/onboard", "{}")
	product := &stripe.ProductCreateParams{Params: w.params(), Name: stripe.String("Pro")}
	w.price = must(w.V1Prices.Create(ctx, &stripe.PriceCreateParams{
		Params: w.params(), Product: &must(w.V1Products.Create(ctx, product))(t).ID,
		Currency: stripe.String("eur"), UnitAmount: stripe.Int64(1900),
		Recurring: &stripe.PriceCreateRecurringParams{Interval: stripe.String("month")},
	}))(t).ID
	return w
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// params are those of a call on behalf of the merchant.
func (w *world) params() stripe.Params { return stripe.Params{StripeAccount: &w.account} }

func (w *world) customer(t *testing.T, card string) string {
	t.Helper()
	ctx := context.Background()
	made := must(w.V1Customers.Create(ctx, &stripe.CustomerCreateParams{
		Params: w.params(), Name: stripe.String("Zoë")}))(t)
	method := must(w.V1PaymentMethods.Attach(ctx, card, &stripe.PaymentMethodAttachParams{
		Params: w.params(), Customer: &made.ID}))(t)
	must(w.V1Customers.Update(ctx, made.ID, &stripe.CustomerUpdateParams{
		Params:          w.params(),
		InvoiceSettings: &stripe.CustomerUpdateInvoiceSettingsParams{DefaultPaymentMethod: &method.ID},
	}))(t)
	return made.ID
}

func (w *world) named(email, key string) *stripe.CustomerCreateParams {
	params := &stripe.CustomerCreateParams{Params: w.params(), Email: &email}
	if key != "" {
		params.SetIdempotencyKey(key)
	}
	return params
}

func (w *world) withEmail(t *testing.T, email string) (ids []string) {
	t.Helper()
	asked := &stripe.CustomerListParams{Email: &email, ListParams: stripe.ListParams{
		StripeAccount: &w.account, Limit: stripe.Int64(10)}}
	w.V1Customers.List(context.Background(), asked).All(context.Background())(
		func(one *stripe.Customer, err error) bool {
			ids = append(ids, must(one, err)(t).ID)
			return true
		})
	return ids
}

func TestSubscriptionFromCreationToCancellation(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	customer := w.customer(t, "pm_card_visa")
	create := &stripe.SubscriptionCreateParams{
		Params: w.params(), Customer: &customer,
		Items: []*stripe.SubscriptionCreateItemParams{{Price: &w.price}},
	}
	create.AddExpand("latest_invoice")
	made := must(w.V1Subscriptions.Create(ctx, create))(t)
	if made.Status != stripe.SubscriptionStatusActive || made.LatestInvoice.AmountPaid != 1900 {
		t.Fatalf("%s, %d paid", made.Status, made.LatestInvoice.AmountPaid)
	}
	changed := must(w.V1Subscriptions.Update(ctx, made.ID, &stripe.SubscriptionUpdateParams{
		Params: w.params(), ProrationBehavior: stripe.String("none"),
		Items: []*stripe.SubscriptionUpdateItemParams{{ID: &made.Items.Data[0].ID, Quantity: stripe.Int64(2)}},
	}))(t)
	if changed.Items.Data[0].Quantity != 2 {
		t.Fatalf("quantity %d", changed.Items.Data[0].Quantity)
	}
	ended := must(w.V1Subscriptions.Cancel(ctx, made.ID, &stripe.SubscriptionCancelParams{Params: w.params()}))(t)
	if ended.Status != stripe.SubscriptionStatusCanceled || ended.CanceledAt == 0 {
		t.Fatalf("%s at %d", ended.Status, ended.CanceledAt)
	}
}

func TestListsArePagedThrough(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	var made []string
	for range 25 {
		made = append(made, must(w.V1Customers.Create(ctx, w.named("go@example.com", "")))(t).ID)
	}
	slices.Reverse(made)
	if found := w.withEmail(t, "go@example.com"); !slices.Equal(found, made) {
		t.Fatalf("made %v, found %v", made, found)
	}
}

func TestTheSameKeyGetsTheSameAnswer(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	first := must(w.V1Customers.Create(ctx, w.named("once@example.com", "go-key")))(t)
	again := must(w.V1Customers.Create(ctx, w.named("once@example.com", "go-key")))(t)
	if first.ID != again.ID || again.LastResponse.Header.Get("Idempotent-Replayed") != "true" {
		t.Fatalf("%s, then %s", first.ID, again.ID)
	}
	_, err := w.V1Customers.Create(ctx, w.named("twice@example.com", "go-key"))
	wantError(t, err, stripe.ErrorTypeIdempotency, "", http.StatusBadRequest)
}

func TestRequestsAreRepeatedAndHappenOnce(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	patient := client(os.Getenv("STRIPE_API_KEY"), 2)
	for _, action := range []string{"lock_timeout", "drop_before", "drop_after_commit"} {
		email := strings.ReplaceAll(action, "_", "-") + ".go@example.com"
		control(t, "faults", `{"action":"`+action+`","times":1,"match":{"path_regex":"^/v1/customers$","method":"POST"}}`)
		made := must(patient.V1Customers.Create(ctx, w.named(email, "")))(t)
		if found := w.withEmail(t, email); !slices.Equal(found, []string{made.ID}) {
			t.Errorf("%s: made %s, found %v", action, made.ID, found)
		}
	}
}

func wantError(t *testing.T, err error, kind stripe.ErrorType, code stripe.ErrorCode, status int) *stripe.Error {
	t.Helper()
	var known *stripe.Error
	if !errors.As(err, &known) || known.Type != kind || known.Code != code || known.HTTPStatusCode != status {
		t.Fatalf("%v is not %s %s %d", err, kind, code, status)
	}
	return known
}

func TestErrorsHaveTypes(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	poor := w.customer(t, "pm_card_chargeCustomerFail")
	_, err := w.V1Subscriptions.Create(ctx, &stripe.SubscriptionCreateParams{
		Params: w.params(), Customer: &poor, PaymentBehavior: stripe.String("error_if_incomplete"),
		Items: []*stripe.SubscriptionCreateItemParams{{Price: &w.price}},
	})
	declined := wantError(t, err, stripe.ErrorTypeCard, stripe.ErrorCodeCardDeclined, http.StatusPaymentRequired)
	if declined.DeclineCode == "" {
		t.Error("no decline code")
	}
	_, err = w.V1Customers.Retrieve(ctx, "cus_none", &stripe.CustomerRetrieveParams{Params: w.params()})
	wantError(t, err, stripe.ErrorTypeInvalidRequest, stripe.ErrorCodeResourceMissing, http.StatusNotFound)
}

func TestDeliveriesAreSigned(t *testing.T) {
	ctx, w := context.Background(), newWorld(t)
	must(w.V1Products.Create(ctx, &stripe.ProductCreateParams{Params: w.params(), Name: stripe.String("Signed ✓")}))(t)
	signed := func(one delivery) bool { return strings.Contains(string(one.body), "Signed ✓") }
	for end := time.Now().Add(10 * time.Second); !slices.ContainsFunc(w.delivered(), signed); {
		if time.Now().After(end) {
			t.Fatal("not delivered")
		}
		time.Sleep(20 * time.Millisecond)
	}
	anyVersion := stripe.WithIgnoreAPIVersionMismatch()
	for _, one := range w.delivered() {
		event := must(stripe.ConstructEvent(one.body, one.header, w.secret, anyVersion))(t)
		if event.APIVersion != apiVersion || event.Account == "" {
			t.Errorf("version %s, account %s", event.APIVersion, event.Account)
		}
	}
	one := w.delivered()[0]
	for name, wrong := range map[string]struct{ body, header, secret string }{
		"body":   {string(one.body) + " ", one.header, w.secret},
		"secret": {string(one.body), one.header, w.secret + "x"},
		"time":   {string(one.body), strings.Replace(one.header, "t=1", "t=0", 1), w.secret},
		"header": {string(one.body), strings.Replace(one.header, "v1=", "v0=", 1), w.secret},
	} {
		if _, err := stripe.ConstructEvent([]byte(wrong.body), wrong.header, wrong.secret, anyVersion); err == nil {
			t.Errorf("another %s was taken", name)
		}
	}
}
