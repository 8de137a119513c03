package osis.document.client;

import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.Map;
import java.util.zip.CRC32C;
import osis.document.v1.DownloadHeader;
import osis.document.v1.DownloadRequest;
import osis.document.v1.DownloadResponse;
import osis.document.v1.DownloadServiceGrpc.DownloadServiceBlockingV2Stub;

/** The content of a document on its way here, over as many streams as it takes. */
final class Download {
    private final DownloadServiceBlockingV2Stub stub;
    private final Tries tries;
    private final MessageDigest digest = Sha256.digest();
    private DownloadRequest request;
    private DownloadHeader header;
    private long position;
    private long end = Long.MAX_VALUE;

    Download(DownloadServiceBlockingV2Stub stub, DownloadRequest request, Tries tries) {
        this.stub = stub;
        this.request = request;
        this.tries = tries;
    }

    DownloadHeader run(OutputStream target) throws IOException, InterruptedException {
        while (position < end) {
            OsisDocumentException error = null;
            try {
                receive(target);
            } catch (StatusException e) {
                error = OsisDocumentException.of(e);
                if (!error.isTransient() && position < end) { // behind the last byte it does not matter how the stream ends
                    throw error;
                }
            }
            if (header != null) {
                request = request.toBuilder().setReadOffset(position).setReadLimit(end - position)
                        .setExpectedSha256(header.getSha256()).build();
            }
            if (position < end) {
                String offset = Long.toString(position);
                tries.pause(error, "the download was interrupted at byte " + offset, Map.of("offset", offset));
            }
        }
        boolean whole = header.getRange().getStart() == 0 && end == header.getRange().getCompleteSize();
        if (whole && !header.getSha256().isEmpty() && !header.getSha256().equals(Sha256.hex(digest))) {
            throw new DownloadDamagedException("the content of '%s' has not the promised SHA-256 %s"
                    .formatted(header.getDocument().getName(), header.getSha256()));
        }
        return header;
    }

    private void receive(OutputStream target) throws IOException, InterruptedException, StatusException {
        BlockingClientCall<?, DownloadResponse> call = tries.limited(stub).download(request);
        try {
            for (DownloadResponse message = call.read(); message != null; message = call.read()) {
                if (header == null) {
                    begin(message);
                }
                if (!message.getData().isEmpty()) {
                    take(message, target);
                }
            }
        } finally {
            call.cancel("the download has ended", null); // does nothing to a call that is over
        }
    }

    private void begin(DownloadResponse message) {
        if (!message.hasHeader()) {
            throw new DownloadDamagedException("the first message has no header; the service is of another version");
        }
        header = message.getHeader();
        position = header.getRange().getStart();
        end = header.getRange().getEnd();
    }

    private void take(DownloadResponse message, OutputStream target) throws IOException {
        CRC32C checksum = new CRC32C();
        checksum.update(message.getData().asReadOnlyByteBuffer());
        if ((int) checksum.getValue() != message.getCrc32C() || position + message.getData().size() > end) {
            throw new DownloadDamagedException("the block at byte %d of '%s' was damaged on the way"
                    .formatted(position, header.getDocument().getName()));
        }
        digest.update(message.getData().asReadOnlyByteBuffer());
        message.getData().writeTo(target);
        position += message.getData().size();
        tries.gotOn();
    }
}
