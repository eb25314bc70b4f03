package contract

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// nothing tells whether a value is missing or zero.
func nothing(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == "" || value == "0"
	case bool:
		return !value
	case float64:
		return value == 0
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

func wantsNothing(wanted any) bool {
	_, object := wanted.(map[string]any)
	return !object && nothing(wanted)
}

// compare fails unless what is wanted is a part of what there is.
func compare(wanted, got any, path string) error {
	if wantsNothing(wanted) {
		if !nothing(got) {
			return fmt.Errorf("%s: %v instead of nothing", path, got)
		}
		return nil
	}
	switch wanted := wanted.(type) {
	case map[string]any:
		return compareObject(wanted, got, path)
	case []any:
		return compareList(wanted, got, path)
	case string:
		return compareText(wanted, got, path)
	}
	if fmt.Sprint(wanted) != fmt.Sprint(got) {
		return fmt.Errorf("%s: %v instead of %v", path, got, wanted)
	}
	return nil
}

func compareObject(wanted map[string]any, got any, path string) error {
	members, ok := got.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is no object", path, got)
	}
	for key, inner := range wanted {
		if err := compare(inner, members[key], path+"."+key); err != nil {
			return err
		}
	}
	return nil
}

func compareList(wanted []any, got any, path string) error {
	elements, ok := got.([]any)
	if !ok || len(elements) != len(wanted) {
		return fmt.Errorf("%s: %v has not %d elements", path, got, len(wanted))
	}
	for i, inner := range wanted {
		if err := compare(inner, elements[i], fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func compareText(wanted string, got any, path string) error {
	if wanted == "*" {
		if nothing(got) {
			return fmt.Errorf("%s is missing", path)
		}
		return nil
	}
	if pattern, ok := strings.CutPrefix(wanted, "~"); ok {
		text, isText := got.(string)
		if !isText || !regexp.MustCompile(pattern).MatchString(text) {
			return fmt.Errorf("%s: %v does not match %s", path, got, pattern)
		}
		return nil
	}
	if got != wanted {
		return fmt.Errorf("%s: %v instead of %v", path, got, wanted)
	}
	return nil
}

// failure holds the details of a failed call.
type failure struct {
	info       *errdetails.ErrorInfo
	violations *errdetails.BadRequest
	retry      *errdetails.RetryInfo
	request    *errdetails.RequestInfo
}

func readFailure(found *status.Status) failure {
	var read failure
	for _, detail := range found.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			read.info = detail
		case *errdetails.BadRequest:
			read.violations = detail
		case *errdetails.RetryInfo:
			read.retry = detail
		case *errdetails.RequestInfo:
			read.request = detail
		}
	}
	return read
}

// checkFailure fails unless a call failed as it should.
func checkFailure(wanted *wantedFailure, err error, headers map[string]any) error {
	found, _ := status.FromError(err)
	read := readFailure(found)
	if codeName(found.Code()) != wanted.Code || found.Message() == "" {
		return fmt.Errorf("%w instead of %s", err, wanted.Code)
	}
	if read.info != nil && (read.info.GetDomain() != "billingos.dev" || read.request.GetRequestId() != headers["x-request-id"]) {
		return fmt.Errorf("domain or request id: %v %v %v", read.info, read.request, headers)
	}
	if wanted.Reason != "" && read.info.GetReason() != wanted.Reason {
		return fmt.Errorf("%w: reason %q instead of %q", err, read.info.GetReason(), wanted.Reason)
	}
	pairs := map[string]any{}
	for key, value := range read.info.GetMetadata() {
		pairs[key] = value
	}
	if err := compare(wanted.Metadata, pairs, "metadata"); wanted.Metadata != nil && err != nil {
		return err
	}
	if wanted.Retry != nil && *wanted.Retry != (read.retry.GetRetryDelay().AsDuration() > 0) {
		return fmt.Errorf("retry: %v", read.retry)
	}
	if wanted.Message != "" {
		return compare(wanted.Message, found.Message(), "message")
	}
	return checkFields(wanted, read)
}

func checkFields(wanted *wantedFailure, read failure) error {
	var fields []string
	for _, violation := range read.violations.GetFieldViolations() {
		fields = append(fields, violation.GetField())
	}
	slices.Sort(fields)
	slices.Sort(wanted.Fields)
	if wanted.Fields != nil && !slices.Equal(fields, wanted.Fields) {
		return fmt.Errorf("fields %v instead of %v", fields, wanted.Fields)
	}
	return nil
}

var errNotFailed = errors.New("the call did not fail")
