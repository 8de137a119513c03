package osisdocument

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	maxAttempts  = 6
	firstPause   = 250 * time.Millisecond
	longestPause = 5 * time.Second
)

// ErrDamaged says that bytes arrived which are not those that were sent: download again.
var ErrDamaged = errors.New("the content was damaged on the way")

// Error is a call that was refused, by the service or on the way to it. Find it with errors.As.
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code
	// Reason is the name of the contract's ErrorReason without its prefix, "TOKEN_SPENT"; empty where the service gave none.
	Reason string
	// Message says what failed, why, and what to do.
	Message string
	// Metadata has the values that the reason documents.
	Metadata map[string]string
	// RetryAfter is how long the service asks to wait before the same call; 0: it does not say.
	RetryAfter time.Duration

	status *status.Status
}

func (e *Error) Error() string {
	if e.Reason == "" {
		return e.Message + " [" + e.Code.String() + "]"
	}
	return e.Message + " [" + e.Reason + "]"
}

// GRPCStatus lets google.golang.org/grpc/status read this error.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// ReasonOf answers the reason of an error; empty if it has none.
func ReasonOf(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return ""
}

// endedEarly is a stream that ended in order, but before everything was there.
func endedEarly() error {
	return typed(status.Error(codes.Unavailable, "the service ended the stream before its end"))
}

func typed(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	told := status.Convert(err)
	refused := &Error{Code: told.Code(), Message: told.Message(), status: told}
	for _, detail := range told.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.Domain == "document.osis" {
				refused.Reason, refused.Metadata = detail.Reason, detail.Metadata
			}
		case *errdetails.RetryInfo:
			refused.RetryAfter = detail.RetryDelay.AsDuration()
		}
	}
	return refused
}

// attempts counts those that got nowhere one after the other.
type attempts struct {
	fruitless int
	closed    <-chan struct{} // of the client
}

// repeat tries until nothing is left to do, with pauses; an error says why there is to be no other try.
func (a *attempts) repeat(ctx context.Context, try func() error) error {
	for {
		err := try()
		var refused *Error
		if !errors.As(err, &refused) || !passes(refused) || a.fruitless+1 >= maxAttempts {
			return err
		}
		wait := min(longestPause, firstPause<<a.fruitless)
		wait = max(refused.RetryAfter, wait/2+rand.N(wait/2))
		a.fruitless++
		if end, limited := ctx.Deadline(); limited && time.Until(end) <= wait {
			return err
		}
		select {
		case <-a.closed:
			return typed(status.Error(codes.Canceled, "the client was closed"))
		case <-ctx.Done():
			return typed(status.FromContextError(ctx.Err()).Err())
		case <-time.After(wait):
		}
	}
}

// passes is true where nothing is wrong with the call itself. Without a reason, Internal and Unknown come from the transport; a
// gap, or an upload that went away, means that our idea of where it stands is out of date.
func passes(refused *Error) bool {
	byCode := []codes.Code{codes.Unavailable, codes.Canceled}
	if refused.Reason == "" {
		byCode = append(byCode, codes.DeadlineExceeded, codes.Internal, codes.Unknown)
	}
	byReason := []string{"SERVER_OVERLOADED", "OFFSET_GAP", "UPLOAD_NOT_FOUND"}
	return slices.Contains(byCode, refused.Code) || slices.Contains(byReason, refused.Reason)
}
