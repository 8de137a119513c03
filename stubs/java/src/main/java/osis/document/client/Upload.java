package osis.document.client;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.security.MessageDigest;
import java.util.Map;
import osis.document.v1.Document;
import osis.document.v1.ErrorReason;
import osis.document.v1.GetUploadStatusRequest;
import osis.document.v1.GetUploadStatusResponse;
import osis.document.v1.UploadResult;
import osis.document.v1.UploadServiceGrpc.UploadServiceBlockingV2Stub;
import osis.document.v1.UploadSpec;
import osis.document.v1.WriteUploadRequest;
import osis.document.v1.WriteUploadResponse;

/** One file on its way to the service, over as many streams as it takes. */
final class Upload {
    private final UploadServiceBlockingV2Stub stub;
    private final ReadableByteChannel source;
    private final UploadSpec spec;
    private final int chunkSizeBytes;
    private final Tries tries;
    private final MessageDigest digest = Sha256.digest();
    private long position;
    private long hashed;
    private long persisted;

    Upload(UploadServiceBlockingV2Stub stub, ReadableByteChannel source, UploadSpec spec, int chunkSizeBytes, Tries tries) {
        this.stub = stub;
        this.source = source;
        this.spec = spec;
        this.chunkSizeBytes = chunkSizeBytes;
        this.tries = tries;
    }

    UploadResult run(boolean begunBefore) throws IOException, InterruptedException {
        for (boolean ask = begunBefore; ; ask = true) {
            OsisDocumentException error = null;
            try {
                GetUploadStatusResponse status = ask ? status() : GetUploadStatusResponse.getDefaultInstance();
                if (status.hasResult()) {
                    requireSameContent(status.getResult().getDocument());
                    return status.getResult();
                }
                if (status.getPersistedSize() > persisted) {
                    persisted = status.getPersistedSize();
                    tries.gotOn();
                }
                WriteUploadResponse response = send(status.getPersistedSize());
                if (response.hasResult()) {
                    return response.getResult();
                }
            } catch (StatusException e) {
                error = OsisDocumentException.of(e);
                // A gap, or an upload that went away, means that our idea of where it stands is out of date: ask again.
                if (!error.isTransient()
                        && error.reason() != ErrorReason.ERROR_REASON_OFFSET_GAP
                        && error.reason() != ErrorReason.ERROR_REASON_UPLOAD_NOT_FOUND) {
                    throw error;
                }
            }
            String stopped = "the upload of '%s' was interrupted; to go on, send it again with the upload id %s"
                    .formatted(spec.getName(), spec.getUploadId());
            tries.pause(error, stopped, Map.of("upload_id", spec.getUploadId(), "persisted_size", Long.toString(persisted)));
        }
    }

    private GetUploadStatusResponse status() throws StatusException {
        try {
            GetUploadStatusRequest request = GetUploadStatusRequest.newBuilder().setUploadId(spec.getUploadId()).build();
            return tries.limited(stub).getUploadStatus(request);
        } catch (StatusException e) {
            if (OsisDocumentException.of(e).reason() == ErrorReason.ERROR_REASON_UPLOAD_NOT_FOUND) {
                return GetUploadStatusResponse.getDefaultInstance(); // nothing is kept: from the start, under the same id
            }
            throw e;
        }
    }

    /** What is finished under this id may have been another file. */
    private void requireSameContent(Document document) throws IOException {
        if (document.getRevision() > 0) {
            return; // it was changed since, here or elsewhere
        }
        goTo(document.getSizeBytes());
        read(1); // a byte more would be another file, too
        if (!document.getSha256().equals(Sha256.hex(digest))) {
            throw conflict();
        }
    }

    private OsisDocumentException conflict() {
        return new OsisDocumentException(
                "upload %s is of another file; a new file needs a new upload id".formatted(spec.getUploadId()),
                Status.Code.FAILED_PRECONDITION,
                "UPLOAD_SPEC_CONFLICT",
                Map.of("upload_id", spec.getUploadId(), "field", "sha256"));
    }

    private WriteUploadResponse send(long offset) throws IOException, InterruptedException, StatusException {
        goTo(offset);
        BlockingClientCall<WriteUploadRequest, WriteUploadResponse> call = tries.limited(stub).writeUpload();
        try {
            WriteUploadRequest.Builder message = WriteUploadRequest.newBuilder().setUploadSpec(spec);
            boolean taken = true;
            while (taken && !message.getFinishWrite()) {
                message.setWriteOffset(position);
                ByteBuffer data = read(chunkSizeBytes);
                if (data.hasRemaining()) {
                    message.setData(UnsafeByteOperations.unsafeWrap(data));
                } else {
                    message.clearData().setFinishWrite(true).setSha256(Sha256.hex(digest));
                }
                taken = call.write(message.build()); // false: the service has answered already
                message.clearFirstMessage();
            }
            call.halfClose();
            WriteUploadResponse response = call.read();
            return response == null ? WriteUploadResponse.getDefaultInstance() : response;
        } finally {
            call.cancel("the upload has ended", null); // does nothing to a call that is over
        }
    }

    /** Reads the next bytes, none at the end, and hashes those that were not read before. */
    private ByteBuffer read(int count) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(count);
        while (data.hasRemaining() && source.read(data) >= 0) {
            continue;
        }
        data.flip();
        long start = position;
        position += data.remaining();
        if (position > hashed) {
            digest.update(data.duplicate().position((int) Math.max(0, hashed - start)));
            hashed = position;
        }
        return data;
    }

    private void goTo(long offset) throws IOException {
        if (offset < position) {
            if (!(source instanceof SeekableByteChannel file)) {
                String message = "the connection was lost, and byte %d of the stream cannot be read again".formatted(offset);
                throw new OsisDocumentException(message, Status.Code.UNAVAILABLE, "", Map.of("upload_id", spec.getUploadId()));
            }
            file.position(file.position() - position + offset);
            position = offset;
        }
        while (position < offset) { // read, not skipped: the hash is that of the whole file
            if (!read((int) Math.min(chunkSizeBytes, offset - position)).hasRemaining()) {
                throw conflict(); // the source has fewer bytes than were sent under this id
            }
        }
    }
}
