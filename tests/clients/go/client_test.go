package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Registers the messages, which are then found by name.
	_ "billingos.dev/tests/clients/go/gen/billingos/v1"
)

// contractCase is one case, or one call in the middle of a stream; tests/contract/README.md explains it.
type contractCase struct {
	Name       string            `json:"name"`
	Method     string            `json:"method"`
	Key        string            `json:"key"`
	Metadata   map[string]string `json:"metadata"`
	Request    json.RawMessage   `json:"request"`
	DeadlineMs int               `json:"deadline_ms"`
	WithinMs   int               `json:"within_ms"`
	Cancel     bool              `json:"cancel"`
	Ok         any               `json:"ok"`
	Error      *wantedFailure    `json:"error"`
	Headers    map[string]any    `json:"headers"`
	Save       map[string]string `json:"save"`
	Stream     []step            `json:"stream"`
}

type step struct {
	Receive any               `json:"receive"`
	Save    map[string]string `json:"save"`
	Call    *contractCase     `json:"call"`
}

type wantedFailure struct {
	Code     string         `json:"code"`
	Reason   string         `json:"reason"`
	Fields   []string       `json:"fields"`
	Metadata map[string]any `json:"metadata"`
	Retry    *bool          `json:"retry"`
	Message  string         `json:"message"`
}

const defaultDeadlineMs = 30000

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// client calls methods by name, with messages in their JSON form.
type client struct {
	conn      *grpc.ClientConn
	keys      map[string]string
	variables map[string]string
}

func newClient() (*client, error) {
	conn, err := grpc.NewClient(os.Getenv("BOS_CONTRACT_ADDRESS"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	keys := map[string]string{
		"":            os.Getenv("BOS_CONTRACT_SECRET_KEY"),
		"secret":      os.Getenv("BOS_CONTRACT_SECRET_KEY"),
		"publishable": os.Getenv("BOS_CONTRACT_PUBLISHABLE_KEY"),
		"wrong":       "bos_sk_test_" + strings.Repeat("0", 49),
	}
	return &client{conn: conn, keys: keys, variables: map[string]string{}}, nil
}

// fillText puts variables into a text.
func (c *client) fillText(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		if value, known := c.variables[found[2:len(found)-1]]; known {
			return value
		}
		return found
	})
}

// fill puts variables into all texts of a value.
func (c *client) fill(value any) any {
	switch value := value.(type) {
	case string:
		return c.fillText(value)
	case []any:
		filled := make([]any, len(value))
		for i, inner := range value {
			filled[i] = c.fill(inner)
		}
		return filled
	case map[string]any:
		filled := map[string]any{}
		for key, inner := range value {
			filled[key] = c.fill(inner)
		}
		return filled
	}
	return value
}

// prepared is a call that can be started.
type prepared struct {
	path     string
	request  proto.Message
	response proto.Message
	ctx      context.Context
	cancel   context.CancelFunc
}

func newMessage(descriptor protoreflect.MessageDescriptor) (proto.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(descriptor.FullName())
	if err != nil {
		return nil, err
	}
	return found.New().Interface(), nil
}

func (c *client) prepare(one *contractCase) (*prepared, error) {
	service, name, _ := strings.Cut(one.Method, "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName("billingos.v1." + service))
	if err != nil {
		return nil, err
	}
	method := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(name))
	if method == nil {
		return nil, fmt.Errorf("no method %s", one.Method)
	}
	made := &prepared{path: "/billingos.v1." + one.Method}
	if made.request, err = newMessage(method.Input()); err != nil {
		return nil, err
	}
	if made.response, err = newMessage(method.Output()); err != nil {
		return nil, err
	}
	if len(one.Request) > 0 {
		if err = protojson.Unmarshal([]byte(c.fillText(string(one.Request))), made.request); err != nil {
			return nil, err
		}
	}
	deadline := one.DeadlineMs
	if deadline == 0 {
		deadline = defaultDeadlineMs
	}
	made.ctx, made.cancel = context.WithTimeout(c.outgoing(one), time.Duration(deadline)*time.Millisecond)
	return made, nil
}

func (c *client) outgoing(one *contractCase) context.Context {
	pairs := metadata.MD{}
	for key, value := range one.Metadata {
		pairs.Set(key, c.fillText(value))
	}
	if one.Key != "none" {
		key, known := c.keys[one.Key]
		if !known {
			key = c.fillText(one.Key)
		}
		pairs.Set("authorization", "Bearer "+key)
	}
	return metadata.NewOutgoingContext(context.Background(), pairs)
}

// save keeps parts of an answer for later cases.
func (c *client) save(wanted map[string]string, answer any) error {
	for name, path := range wanted {
		value := answer
		for _, part := range strings.Split(path, ".") {
			members, ok := value.(map[string]any)
			if !ok {
				return fmt.Errorf("%s is not there to be saved", path)
			}
			value = members[part]
		}
		c.variables[name] = fmt.Sprint(value)
	}
	return nil
}

// asJSON is the message as the cases show it.
func asJSON(message proto.Message) (any, error) {
	text, err := protojson.MarshalOptions{EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return nil, err
	}
	var value any
	err = json.Unmarshal(text, &value)
	return value, err
}

func firstValues(md metadata.MD) map[string]any {
	values := map[string]any{}
	for key, all := range md {
		values[key] = all[0]
	}
	return values
}

// codeName is the name of the code in the specification: "NOT_FOUND".
func codeName(code codes.Code) string {
	names := map[codes.Code]string{
		codes.OK: "OK", codes.Canceled: "CANCELLED", codes.Unknown: "UNKNOWN", codes.InvalidArgument: "INVALID_ARGUMENT",
		codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.NotFound: "NOT_FOUND", codes.AlreadyExists: "ALREADY_EXISTS",
		codes.PermissionDenied: "PERMISSION_DENIED", codes.ResourceExhausted: "RESOURCE_EXHAUSTED",
		codes.FailedPrecondition: "FAILED_PRECONDITION", codes.Aborted: "ABORTED", codes.OutOfRange: "OUT_OF_RANGE",
		codes.Unimplemented: "UNIMPLEMENTED", codes.Internal: "INTERNAL", codes.Unavailable: "UNAVAILABLE",
		codes.DataLoss: "DATA_LOSS", codes.Unauthenticated: "UNAUTHENTICATED",
	}
	return names[code]
}
