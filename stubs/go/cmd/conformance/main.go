// Command conformance is the Go client behind the line protocol of the conformance suite (docs/reference/conformance.md).
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	_ "github.com/uclouvain/osis-document/stubs/go/osis/document/v1"
	"github.com/uclouvain/osis-document/stubs/go/osisdocument"
)

const longestLine = 16 << 20

type command struct {
	Do              string          `json:"do"`
	Target          string          `json:"target"`
	APIKey          string          `json:"api_key"`
	TLSCAFile       string          `json:"tls_ca_file"`
	Path            string          `json:"path"`
	Name            string          `json:"name"`
	UploadID        string          `json:"upload_id"`
	ChunkSizeBytes  int             `json:"chunk_size_bytes"`
	DeadlineSeconds float64         `json:"deadline_seconds"`
	Token           string          `json:"token"`
	Offset          int64           `json:"offset"`
	Length          int64           `json:"length"`
	ExpectedSHA256  string          `json:"expected_sha256"`
	RPC             string          `json:"rpc"`
	Request         json.RawMessage `json:"request"`
	UntilClosed     bool            `json:"until_closed"`
}

type object map[string]any

type driver struct {
	client *osisdocument.Client
	lines  *bufio.Scanner
}

var errUnknownCommand = errors.New("no such command")

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	driver := &driver{lines: lines}
	for lines.Scan() {
		answer := object{}
		if ok, err := driver.do(lines.Bytes()); err != nil {
			answer["error"] = told(err)
		} else {
			answer["ok"] = ok
		}
		line, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}

func (d *driver) do(line []byte) (object, error) {
	var command command
	if err := json.Unmarshal(line, &command); err != nil {
		return nil, err
	}
	ctx, cancel := context.Background(), func() {}
	if command.DeadlineSeconds > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(command.DeadlineSeconds*float64(time.Second)))
	}
	defer cancel()
	if command.UntilClosed { // the next command is to close the client
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			d.lines.Scan()
			d.client.Close()
		}()
		defer func() { <-closed }()
	}
	switch command.Do {
	case "connect":
		return object{}, d.connect(command)
	case "upload", "upload_stream":
		return d.upload(ctx, command)
	case "download":
		return d.download(ctx, command)
	case "call", "watch":
		return d.call(ctx, command)
	}
	return nil, errUnknownCommand
}

func (d *driver) connect(command command) error {
	if d.client != nil {
		d.client.Close()
	}
	config := osisdocument.Config{Target: command.Target, APIKey: command.APIKey}
	if command.TLSCAFile != "" {
		pem, err := os.ReadFile(command.TLSCAFile)
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		config.TLS = &tls.Config{RootCAs: roots}
	}
	client, err := osisdocument.Connect(config)
	d.client = client
	return err
}

func (d *driver) upload(ctx context.Context, command command) (object, error) {
	file, err := os.Open(command.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var source io.Reader = file
	if command.Do == "upload_stream" {
		source = io.MultiReader(file) // no io.Seeker any more
	}
	options := osisdocument.UploadOptions{Name: command.Name, UploadID: command.UploadID, ChunkBytes: command.ChunkSizeBytes}
	result, err := d.client.Upload(ctx, source, options)
	if err != nil {
		return nil, err
	}
	document, err := protojson.Marshal(result.Document)
	return object{"document": json.RawMessage(document), "write_token": result.WriteToken}, err
}

func (d *driver) download(ctx context.Context, command command) (object, error) {
	options := osisdocument.DownloadOptions{Offset: command.Offset, Length: command.Length, ExpectedSHA256: command.ExpectedSHA256}
	if _, err := d.client.DownloadFile(ctx, command.Token, command.Path, options); err != nil {
		return nil, err
	}
	file, err := os.Open(command.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	return object{"size_bytes": size, "sha256": hex.EncodeToString(hash.Sum(nil))}, err
}

// call makes a call of any rpc and answers its message, or (watch) its messages.
func (d *driver) call(ctx context.Context, command command) (object, error) {
	name := protoreflect.FullName("osis.document.v1." + strings.ReplaceAll(command.RPC, "/", "."))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return nil, err
	}
	rpc := found.(protoreflect.MethodDescriptor)
	request, method := dynamicpb.NewMessage(rpc.Input()), "/osis.document.v1."+command.RPC
	if err := protojson.Unmarshal(command.Request, request); err != nil {
		return nil, err
	}
	if command.Do == "call" {
		answer := dynamicpb.NewMessage(rpc.Output())
		if err := d.client.Conn.Invoke(ctx, method, request, answer); err != nil {
			return nil, err
		}
		return inJSON(answer)
	}
	stream, err := d.client.Conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	messages := []object{}
	for {
		answer := dynamicpb.NewMessage(rpc.Output())
		if err := stream.RecvMsg(answer); errors.Is(err, io.EOF) {
			return object{"messages": messages}, nil
		} else if err != nil {
			return nil, err
		}
		message, err := inJSON(answer)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
}

func inJSON(message proto.Message) (object, error) {
	text, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	answer := object{}
	return answer, json.Unmarshal(text, &answer)
}

// told is what an error says, as the protocol has it.
func told(err error) object {
	answer := object{"code": "UNKNOWN", "reason": "", "message": err.Error(), "metadata": object{}, "retry_after_seconds": nil, "type": fmt.Sprintf("%T", err)}
	var refused *osisdocument.Error
	switch {
	case errors.As(err, &refused):
		answer["code"], answer["reason"], answer["message"] = codeName(refused), refused.Reason, refused.Message
		if refused.Metadata != nil {
			answer["metadata"] = refused.Metadata
		}
		if refused.RetryAfter > 0 {
			answer["retry_after_seconds"] = refused.RetryAfter.Seconds()
		}
		answer["type"] = "*osisdocument.Error"
	case errors.Is(err, osisdocument.ErrDamaged):
		answer["code"], answer["type"] = "DATA_LOSS", "osisdocument.ErrDamaged"
	case errors.Is(err, errUnknownCommand):
		answer["code"] = "UNIMPLEMENTED"
	}
	return answer
}

var codeNames = []string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

func codeName(refused *osisdocument.Error) string { return codeNames[refused.Code] }
