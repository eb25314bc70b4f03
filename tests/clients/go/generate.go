// Package contract runs the cases of tests/contract with grpc-go and generated messages.
package contract

//go:generate sh -c "rm -rf gen && mkdir gen && cd ../../../api && protoc -I. --go_out=../tests/clients/go/gen --go_opt=paths=source_relative --go-grpc_out=../tests/clients/go/gen --go-grpc_opt=paths=source_relative billingos/v1/*.proto"
