// Package osisdocument is a thin client of an OSIS Document service: a connection that sends an API key, uploads and downloads
// that go on where a lost connection left them, and errors by reason. Everything else is called on the generated stubs, which
// Client has.
package osisdocument

import (
	"context"
	"crypto/tls"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	documentv1 "github.com/uclouvain/osis-document/stubs/go/osis/document/v1"
)

const (
	// A page of 1,000 documents with metadata is larger than gRPC's 4 MiB.
	maxResponseBytes = 64 << 20
	windowBytes      = 4 << 20
	bufferBytes      = 1 << 20
)

// Config says where the service is and who calls it.
type Config struct {
	// Target is the service's address, "documents.internal:50051".
	Target string
	// APIKey is sent with every call. Downloads need none.
	APIKey string
	// TLS encrypts the connection; nil: plain text.
	TLS *tls.Config
}

// Client is a connection to a service, for any number of goroutines. Its fields are the generated stubs; their errors, too, are
// of the type *Error.
type Client struct {
	Documents       documentv1.DocumentServiceClient
	Downloads       documentv1.DownloadServiceClient
	PostProcessings documentv1.PostProcessingServiceClient
	Tokens          documentv1.TokenServiceClient
	Uploads         documentv1.UploadServiceClient
	// Conn is what the stubs call through.
	Conn   *grpc.ClientConn
	closed <-chan struct{}
	end    context.CancelFunc
}

// Connect makes a client. The connection is made by the first call.
func Connect(config Config) (*Client, error) {
	transport := insecure.NewCredentials()
	if config.TLS != nil {
		transport = credentials.NewTLS(config.TLS)
	}
	unary := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, options ...grpc.CallOption) error {
		return typed(call(ctx, method, request, reply, conn, options...))
	}
	stream := func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		opened, err := open(ctx, desc, conn, method, options...)
		return typedStream{opened}, typed(err)
	}
	conn, err := grpc.NewClient(config.Target,
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(apiKey(config.APIKey)),
		grpc.WithUnaryInterceptor(unary),
		grpc.WithStreamInterceptor(stream),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxResponseBytes)),
		// Blocks have 1 MiB; gRPC's own sizes are made for small messages.
		grpc.WithInitialWindowSize(windowBytes),
		grpc.WithInitialConnWindowSize(windowBytes),
		grpc.WithWriteBufferSize(bufferBytes),
		grpc.WithReadBufferSize(bufferBytes),
		// A call over a connection that died silently fails after 70 seconds. The service allows pings at this interval.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 10 * time.Second}),
		// Interrupted streams go on as soon as the service is back; gRPC's own pause would grow to two minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 10 * time.Second,
		}),
	)
	if err != nil {
		return nil, err
	}
	closed, end := context.WithCancel(context.Background())
	return &Client{
		Documents:       documentv1.NewDocumentServiceClient(conn),
		Downloads:       documentv1.NewDownloadServiceClient(conn),
		PostProcessings: documentv1.NewPostProcessingServiceClient(conn),
		Tokens:          documentv1.NewTokenServiceClient(conn),
		Uploads:         documentv1.NewUploadServiceClient(conn),
		Conn:            conn,
		closed:          closed.Done(),
		end:             end,
	}, nil
}

// Close ends the connection, and all calls and transfers over it (codes.Canceled).
func (c *Client) Close() error {
	c.end()
	return c.Conn.Close()
}

type apiKey string

func (k apiKey) RequireTransportSecurity() bool { return false }
func (k apiKey) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if k == "" {
		return nil, nil
	}
	return map[string]string{"x-api-key": string(k)}, nil
}

type typedStream struct{ grpc.ClientStream }

func (s typedStream) SendMsg(message any) error { return typed(s.ClientStream.SendMsg(message)) }
func (s typedStream) RecvMsg(message any) error { return typed(s.ClientStream.RecvMsg(message)) }
