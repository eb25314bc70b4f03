package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	billingosv1 "billingos.dev/tests/clients/go/gen/billingos/v1"
)

func readCases(t *testing.T) []contractCase {
	text, err := os.ReadFile(os.Getenv("BOS_CONTRACT_CASES"))
	if err != nil {
		t.Fatalf("tests/clients/test_clients.py names the cases in the environment: %v", err)
	}
	var cases []contractCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func note(name string, failed error) error {
	text := ""
	if failed != nil {
		text = failed.Error()
	}
	line, err := json.Marshal(map[string]string{"name": name, "failure": text})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(os.Getenv("BOS_CONTRACT_RESULTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}

func TestCases(t *testing.T) {
	c, err := newClient()
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	for _, one := range readCases(t) {
		t.Run(one.Name, func(t *testing.T) {
			run := c.runUnary
			if one.Stream != nil {
				run = c.runStream
			}
			failed := run(&one)
			if err := note(one.Name, failed); err != nil {
				t.Fatal(err)
			}
			if failed != nil {
				t.Error(failed)
			}
		})
	}
}

func (c *client) checkEnd(one *contractCase, err error, headers metadata.MD) error {
	found := firstValues(headers)
	if one.Error == nil {
		return fmt.Errorf("failed: %w", err)
	}
	wanted := *one.Error
	if wanted.Metadata != nil {
		wanted.Metadata = c.fill(wanted.Metadata).(map[string]any)
	}
	if err := checkFailure(&wanted, err, found); err != nil {
		return err
	}
	return compare(anyMap(one.Headers), found, "headers")
}

// anyMap keeps a missing map from being read as a wish for nothing.
func anyMap(members map[string]any) map[string]any {
	if members == nil {
		return map[string]any{}
	}
	return members
}

// runUnary makes a call once, or until it fits.
func (c *client) runUnary(one *contractCase) error {
	end := time.Now().Add(time.Duration(one.WithinMs) * time.Millisecond)
	for {
		err := c.runOnce(one)
		if err == nil || time.Now().After(end) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *client) runOnce(one *contractCase) error {
	call, err := c.prepare(one)
	if err != nil {
		return err
	}
	defer call.cancel()
	if one.Cancel {
		time.AfterFunc(0, call.cancel)
	}
	var headers metadata.MD
	if err := c.conn.Invoke(call.ctx, call.path, call.request, call.response, grpc.Header(&headers)); err != nil {
		return c.checkEnd(one, err, headers)
	}
	if one.Error != nil {
		return errNotFailed
	}
	answer, err := asJSON(call.response)
	if err != nil {
		return err
	}
	if err := compare(c.fill(one.Ok), answer, "answer"); err != nil {
		return err
	}
	if err := compare(anyMap(one.Headers), firstValues(headers), "headers"); err != nil {
		return err
	}
	return c.save(one.Save, answer)
}

// receive is the next message that is no heartbeat.
func receive(stream grpc.ClientStream, like proto.Message) (map[string]any, error) {
	for {
		message := proto.Clone(like)
		proto.Reset(message)
		if err := stream.RecvMsg(message); err != nil {
			return nil, err
		}
		value, err := asJSON(message)
		if err != nil {
			return nil, err
		}
		if members := value.(map[string]any); members["heartbeat"] == nil {
			return members, nil
		}
	}
}

func (c *client) runStep(stream grpc.ClientStream, like proto.Message, wanted step) error {
	if wanted.Call != nil {
		return c.runUnary(wanted.Call)
	}
	message, err := receive(stream, like)
	if err != nil {
		return err
	}
	if err := compare(c.fill(wanted.Receive), message, "message"); err != nil {
		return err
	}
	return c.save(wanted.Save, message)
}

func (c *client) runStream(one *contractCase) error {
	call, err := c.prepare(one)
	if err != nil {
		return err
	}
	defer call.cancel()
	stream, err := c.conn.NewStream(call.ctx, &grpc.StreamDesc{ServerStreams: true}, call.path)
	if err != nil {
		return c.checkEnd(one, err, nil)
	}
	if err := errors.Join(stream.SendMsg(call.request), stream.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return c.checkEnd(one, err, nil)
	}
	for _, wanted := range one.Stream {
		if err := c.runStep(stream, call.response, wanted); err != nil {
			return err
		}
	}
	if one.Cancel {
		return c.cancelStream(one, call, stream)
	}
	for err == nil {
		_, err = receive(stream, call.response)
	}
	headers, _ := stream.Header()
	return c.checkEnd(one, err, headers)
}

func (c *client) cancelStream(one *contractCase, call *prepared, stream grpc.ClientStream) error {
	headers, err := stream.Header()
	if err != nil {
		return err
	}
	if err := compare(anyMap(one.Headers), firstValues(headers), "headers"); err != nil {
		return err
	}
	call.cancel()
	for err == nil {
		_, err = receive(stream, call.response)
	}
	if status.Code(err) != codes.Canceled {
		return fmt.Errorf("%w after it was cancelled", err)
	}
	return nil
}

// TestStub holds the generated client itself together with the server.
func TestStub(t *testing.T) {
	c, err := newClient()
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	service := billingosv1.NewOrganizationServiceClient(c.conn)
	answer, err := service.GetCaller(c.outgoing(&contractCase{}), &billingosv1.GetCallerRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if answer.GetMode() != billingosv1.Mode_MODE_TEST || answer.GetApiKey().GetKind() != billingosv1.ApiKeyKind_API_KEY_KIND_SECRET {
		t.Errorf("an answer of another shape: %v", answer)
	}
}
