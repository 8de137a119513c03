package osisdocument

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	documentv1 "github.com/uclouvain/osis-document/stubs/go/osis/document/v1"
)

const defaultChunkBytes = 1 << 20

// UploadOptions says what is uploaded.
type UploadOptions struct {
	// Name is the document's name with its extension.
	Name string
	// UploadID is a UUID that becomes the document's id; empty: a random one. The id of an upload that was interrupted goes on
	// with it.
	UploadID string
	// Metadata are the users' own keys.
	Metadata *structpb.Struct
	// ChunkBytes is how much each message carries; 0: 1 MiB.
	ChunkBytes int
}

// UploadFile uploads the file at a path, under its own name unless the options have another.
func (c *Client) UploadFile(ctx context.Context, path string, options UploadOptions) (*documentv1.UploadResult, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if options.Name == "" {
		options.Name = filepath.Base(path)
	}
	return c.Upload(ctx, file, options)
}

// Upload streams a file to the service, and answers the document with the token that confirms it. A lost connection is replaced
// and sending goes on behind the last byte that is safe there; a source that cannot seek can be gone on with only if nothing of
// it was lost. One that can is read from where it stands. The context's deadline is that of the whole.
func (c *Client) Upload(ctx context.Context, from io.Reader, options UploadOptions) (*documentv1.UploadResult, error) {
	upload, asking := newUpload(from, options), options.UploadID != ""
	upload.attempts.closed = c.closed
	var result *documentv1.UploadResult
	err := upload.attempts.repeat(ctx, func() (err error) {
		result, err = upload.try(ctx, c.Uploads, asking)
		asking = true
		return err
	})
	var refused *Error
	if errors.As(err, &refused) && passes(refused) {
		err = fmt.Errorf("the upload of %q was interrupted; to go on, upload it again with the upload id %s: %w",
			options.Name, upload.spec.UploadId, err)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

type upload struct {
	source   io.Reader
	seeker   io.Seeker // nil: the source cannot be read again
	start    int64     // where the source stood
	position int64
	hash     hash.Hash
	hashed   int64
	buffer   []byte
	spec     *documentv1.UploadSpec
	safe     int64
	attempts attempts
}

func newUpload(from io.Reader, options UploadOptions) *upload {
	if options.UploadID == "" {
		id := make([]byte, 16)
		_, _ = rand.Read(id) // never fails
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		options.UploadID = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	}
	if options.ChunkBytes == 0 {
		options.ChunkBytes = defaultChunkBytes
	}
	spec := &documentv1.UploadSpec{UploadId: options.UploadID, Name: options.Name, Metadata: options.Metadata}
	upload := &upload{source: from, hash: sha256.New(), buffer: make([]byte, options.ChunkBytes), spec: spec}
	upload.measure()
	return upload
}

// measure notes what there is to know of a source that can seek; a pipe has the method, but answers an error.
func (u *upload) measure() {
	seeker, ok := u.source.(io.Seeker)
	if !ok {
		return
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if _, back := seeker.Seek(start, io.SeekStart); err != nil || back != nil {
		return
	}
	u.seeker, u.start = seeker, start
	// An empty file is not declared: the service has an error of its own for it.
	if size := end - start; size > 0 {
		u.spec.SizeBytes = &size
	}
}

// try goes on from what is safe, and sends the rest in one stream.
func (u *upload) try(ctx context.Context, service documentv1.UploadServiceClient, asking bool) (*documentv1.UploadResult, error) {
	offset := int64(0)
	if asking {
		told, err := service.GetUploadStatus(ctx, &documentv1.GetUploadStatusRequest{UploadId: u.spec.UploadId})
		if err != nil && ReasonOf(err) != "UPLOAD_NOT_FOUND" {
			return nil, err
		}
		if result := told.GetResult(); result != nil {
			return result, u.requireSameContent(result.Document)
		}
		if offset = told.GetPersistedSize(); offset > u.safe {
			u.safe, u.attempts.fruitless = offset, 0
		}
	}
	if err := u.goTo(offset); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.WriteUpload(ctx)
	if err != nil {
		return nil, err
	}
	first := &documentv1.WriteUploadRequest_UploadSpec{UploadSpec: u.spec}
	for last := false; !last; {
		message := &documentv1.WriteUploadRequest{WriteOffset: u.position}
		if first != nil {
			message.FirstMessage, first = first, nil
		}
		if message.Data, last, err = u.read(u.buffer); err != nil {
			return nil, err
		}
		if message.FinishWrite = last; last {
			message.Sha256 = hex.EncodeToString(u.hash.Sum(nil))
		}
		if err := stream.Send(message); errors.Is(err, io.EOF) {
			break // CloseAndRecv says why
		} else if err != nil {
			return nil, err
		}
	}
	answer, err := stream.CloseAndRecv()
	if err == nil && answer.GetResult() == nil {
		return nil, endedEarly()
	}
	return answer.GetResult(), err
}

// read fills the buffer as far as the source goes; last: it goes no further.
func (u *upload) read(buffer []byte) (data []byte, last bool, err error) {
	count, err := io.ReadFull(u.source, buffer)
	// After a step back, what was hashed before is not hashed again.
	if end := u.position + int64(count); end > u.hashed {
		u.hash.Write(buffer[u.hashed-u.position : count])
		u.hashed = end
	}
	u.position += int64(count)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return buffer[:count], true, nil
	}
	return buffer[:count], false, err
}

// goTo makes offset the place of the next read.
func (u *upload) goTo(offset int64) error {
	if u.seeker != nil && offset < u.position {
		if _, err := u.seeker.Seek(u.start+offset, io.SeekStart); err != nil {
			return err
		}
		u.position = offset
	}
	if u.position > offset {
		return fmt.Errorf("upload %s was interrupted, and its source cannot be read from byte %d", u.spec.UploadId, offset)
	}
	for u.position < offset { // read, not skipped: the hash is that of the whole file
		if _, last, err := u.read(u.buffer[:min(int64(len(u.buffer)), offset-u.position)]); err != nil {
			return err
		} else if last && u.position < offset {
			return u.conflict()
		}
	}
	return nil
}

// requireSameContent refuses an upload that was finished under this id with another file.
func (u *upload) requireSameContent(document *documentv1.Document) error {
	if document.Revision > 0 {
		return nil // it was changed since, here or elsewhere
	}
	err := u.goTo(document.SizeBytes)
	if err == nil {
		_, _, err = u.read(u.buffer[:1]) // a byte more would be another file, too
	}
	if err == nil && hex.EncodeToString(u.hash.Sum(nil)) != document.Sha256 {
		err = u.conflict()
	}
	return err
}

// conflict says that what the service has under this id is of another file.
func (u *upload) conflict() error {
	told := status.Newf(codes.FailedPrecondition, "upload %s is of another file; a new file needs a new upload id", u.spec.UploadId)
	metadata := map[string]string{"upload_id": u.spec.UploadId, "field": "sha256"}
	return &Error{Code: told.Code(), Reason: "UPLOAD_SPEC_CONFLICT", Message: told.Message(), Metadata: metadata, status: told}
}
