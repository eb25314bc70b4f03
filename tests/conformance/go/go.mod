module billingos.dev/tests/conformance/go

go 1.25.0

require github.com/stripe/stripe-go/v85 v85.0.0
