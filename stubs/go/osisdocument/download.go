package osisdocument

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	documentv1 "github.com/uclouvain/osis-document/stubs/go/osis/document/v1"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// DownloadOptions says which part of a content is read; without any it is the whole.
type DownloadOptions struct {
	// Offset is the first byte; negative: so many bytes before the end.
	Offset int64
	// Length is how many bytes at most; 0: up to the end.
	Length int64
	// ExpectedSHA256 refuses any other content (CONTENT_CHANGED); of the whole, in hexadecimal.
	ExpectedSHA256 string
}

// DownloadFile downloads to the file at a path, or to the one that a symbolic link there points to. Under its name there is all
// that was asked for, or what was there before.
func (c *Client) DownloadFile(ctx context.Context, token, path string, options DownloadOptions) (*documentv1.DownloadHeader, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	part := filepath.Join(filepath.Dir(path), "."+rand.Text()+".part")
	file, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	defer os.Remove(part) // fails once it is renamed
	header, err := c.Download(ctx, token, file, options)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return header, os.Rename(part, path)
}

// Download writes a document's content to a writer. Every block is checked against its CRC32C, and a whole content against its
// SHA-256; ErrDamaged says that something is not as it was sent, and then what was written is not to be used. A lost connection
// is replaced and reading goes on behind the last byte. The context's deadline is that of the whole.
func (c *Client) Download(ctx context.Context, token string, to io.Writer, options DownloadOptions) (*documentv1.DownloadHeader, error) {
	download := &download{to: to, hash: sha256.New(), attempts: attempts{closed: c.closed}, request: &documentv1.DownloadRequest{
		Token: token, ReadOffset: options.Offset, ReadLimit: options.Length, ExpectedSha256: options.ExpectedSHA256,
	}}
	err := download.attempts.repeat(ctx, func() error { return download.try(ctx, c.Downloads) })
	return download.header, err
}

type download struct {
	to       io.Writer
	hash     hash.Hash
	request  *documentv1.DownloadRequest
	header   *documentv1.DownloadHeader
	attempts attempts
}

// try reads what is left in one stream.
func (d *download) try(ctx context.Context, service documentv1.DownloadServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := service.Download(ctx, d.request)
	for err == nil {
		var message *documentv1.DownloadResponse
		message, err = stream.Recv()
		switch {
		case err != nil:
		case message.Header != nil:
			d.begin(message.Header)
		default:
			err = d.take(message)
		}
	}
	switch {
	case errors.Is(err, ErrDamaged):
		return err
	case d.header != nil && d.request.ReadOffset == d.header.Range.End:
		return d.checkWhole() // behind the last byte it does not matter how the stream ends
	case errors.Is(err, io.EOF):
		return endedEarly()
	}
	return err
}

// begin notes at the first header where the range lies; what is asked for from now on is the rest of it, of the same content.
func (d *download) begin(header *documentv1.DownloadHeader) {
	if d.header == nil {
		d.header = header
		d.request.ReadOffset, d.request.ReadLimit = header.Range.Start, header.Range.End-header.Range.Start
		d.request.ExpectedSha256 = header.Sha256
	}
}

func (d *download) take(message *documentv1.DownloadResponse) error {
	size := int64(len(message.Data))
	if d.header == nil || size > d.request.ReadLimit || crc32.Checksum(message.Data, castagnoli) != message.Crc32C {
		return fmt.Errorf("%w: the block at byte %d", ErrDamaged, d.request.ReadOffset)
	}
	if _, err := d.to.Write(message.Data); err != nil {
		return err
	}
	d.hash.Write(message.Data)
	d.request.ReadOffset, d.request.ReadLimit, d.attempts.fruitless = d.request.ReadOffset+size, d.request.ReadLimit-size, 0
	return nil
}

func (d *download) checkWhole() error {
	whole := d.header.Range.Start == 0 && d.header.Range.End == d.header.Range.CompleteSize
	if sum := hex.EncodeToString(d.hash.Sum(nil)); whole && d.header.Sha256 != sum {
		return fmt.Errorf("%w: its SHA-256 is %s and not %s", ErrDamaged, sum, d.header.Sha256)
	}
	return nil
}
