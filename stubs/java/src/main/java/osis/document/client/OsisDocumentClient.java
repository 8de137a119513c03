package osis.document.client;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import osis.document.v1.DocumentServiceGrpc;
import osis.document.v1.DownloadHeader;
import osis.document.v1.DownloadRequest;
import osis.document.v1.DownloadServiceGrpc;
import osis.document.v1.PostProcessingServiceGrpc;
import osis.document.v1.TokenServiceGrpc;
import osis.document.v1.UploadResult;
import osis.document.v1.UploadServiceGrpc;
import osis.document.v1.UploadSpec;

/** The generated stubs of every service over one channel, and the transfers of whole documents. Serves all threads of a process. */
public final class OsisDocumentClient implements AutoCloseable {
    private static final Metadata.Key<String> API_KEY = Metadata.Key.of("x-api-key", Metadata.ASCII_STRING_MARSHALLER);
    private static final int MAX_MESSAGE_BYTES = 64 << 20; // an answer may be 1,000 documents with metadata

    private final ManagedChannel channel;
    private final Duration timeout;
    private final int chunkSizeBytes;

    private OsisDocumentClient(ManagedChannel channel, Duration timeout, int chunkSizeBytes) {
        this.channel = channel;
        this.timeout = timeout;
        this.chunkSizeBytes = chunkSizeBytes;
    }

    /** Opens a client without TLS; it connects when first used, and again when the connection is lost. */
    public static OsisDocumentClient connect(String target, String apiKey) {
        return connect(target, apiKey, InsecureChannelCredentials.create());
    }

    /**
     * Opens a client.
     *
     * @param target {@code host:port}
     * @param apiKey sent with every call; empty where tokens alone are used
     * @param credentials {@code TlsChannelCredentials}, for example
     */
    public static OsisDocumentClient connect(String target, String apiKey, ChannelCredentials credentials) {
        Metadata headers = new Metadata();
        if (!apiKey.isEmpty()) {
            headers.put(API_KEY, apiKey);
        }
        ManagedChannel channel = Grpc.newChannelBuilder(target, credentials)
                .intercept(MetadataUtils.newAttachHeadersInterceptor(headers))
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .keepAliveTime(60, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .build();
        return new OsisDocumentClient(channel, null, 1 << 20);
    }

    /** The same client with a limit on how long each transfer may take as a whole; none by default. */
    public OsisDocumentClient withTimeout(Duration timeout) {
        return new OsisDocumentClient(channel, timeout, chunkSizeBytes);
    }

    /** The same client with another size of the messages that an upload is cut into; 1 MiB by default. */
    public OsisDocumentClient withChunkSize(int bytes) {
        return new OsisDocumentClient(channel, timeout, bytes);
    }

    /** Sends a file under its own name. */
    public UploadResult upload(Path file) throws IOException, InterruptedException {
        return upload(file, UploadSpec.getDefaultInstance());
    }

    /**
     * Sends a file, and goes on behind the last safe byte when the connection is lost.
     *
     * @param spec what there is to say; the file's own name by default. An upload id given goes on with that upload; without one, a random one
     *     is chosen.
     * @throws OsisDocumentException the service refused, or the connection stayed lost
     */
    public UploadResult upload(Path file, UploadSpec spec) throws IOException, InterruptedException {
        try (FileChannel source = FileChannel.open(file)) {
            UploadSpec.Builder told = spec.toBuilder();
            if (spec.getName().isEmpty()) {
                told.setName(file.getFileName().toString());
            }
            if (source.size() > 0) { // an empty file is not declared: the service has an error of its own for it
                told.setSizeBytes(source.size());
            }
            return upload(source, told.build());
        }
    }

    /** Sends what a stream has. A lost connection is replaced as long as nothing has to be read again. */
    public UploadResult upload(InputStream stream, UploadSpec spec) throws IOException, InterruptedException {
        return upload(Channels.newChannel(stream), spec);
    }

    private UploadResult upload(ReadableByteChannel source, UploadSpec spec) throws IOException, InterruptedException {
        boolean begunBefore = !spec.getUploadId().isEmpty();
        UploadSpec named = begunBefore ? spec : spec.toBuilder().setUploadId(UUID.randomUUID().toString()).build();
        var stub = UploadServiceGrpc.newBlockingV2Stub(channel);
        return new Upload(stub, source, named, chunkSizeBytes, new Tries(channel, timeout)).run(begunBefore);
    }

    /** Writes a document's content to a file. Under its name there is the whole content or what was there before. */
    public DownloadHeader download(String token, Path target) throws IOException, InterruptedException {
        return download(DownloadRequest.newBuilder().setToken(token).build(), target);
    }

    /** Writes a document's content, or a range of it, to a file. */
    public DownloadHeader download(DownloadRequest request, Path target) throws IOException, InterruptedException {
        Path file = Files.exists(target) ? target.toRealPath() : target; // the file that a symbolic link points to, not the link
        Path temporary = file.resolveSibling("." + UUID.randomUUID() + ".part");
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            DownloadHeader header = download(request, Channels.newOutputStream(channel));
            channel.force(true);
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            return header;
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /**
     * Writes a document's content, or a range of it, to a stream: each block once it is checked. Whether the whole is what was
     * promised is known in the end.
     *
     * @throws DownloadDamagedException what arrived is not what was sent
     * @throws OsisDocumentException the service refused, or the connection stayed lost
     */
    public DownloadHeader download(DownloadRequest request, OutputStream target) throws IOException, InterruptedException {
        return new Download(DownloadServiceGrpc.newBlockingV2Stub(channel), request, new Tries(channel, timeout)).run(target);
    }

    /** Everything that is done with documents once they are uploaded. */
    public DocumentServiceGrpc.DocumentServiceBlockingStub documents() {
        return DocumentServiceGrpc.newBlockingStub(channel);
    }

    /** Conversions and merges. */
    public PostProcessingServiceGrpc.PostProcessingServiceBlockingStub postProcessings() {
        return PostProcessingServiceGrpc.newBlockingStub(channel);
    }

    /** Short-lived access. */
    public TokenServiceGrpc.TokenServiceBlockingStub tokens() {
        return TokenServiceGrpc.newBlockingStub(channel);
    }

    /** Uploads, rpc by rpc. */
    public UploadServiceGrpc.UploadServiceBlockingStub uploads() {
        return UploadServiceGrpc.newBlockingStub(channel);
    }

    /** The channel, for other kinds of stubs: {@code DocumentServiceGrpc.newFutureStub(client.channel())}. */
    public ManagedChannel channel() {
        return channel;
    }

    /** Closes the connection and ends what is under way. */
    @Override
    public void close() {
        channel.shutdownNow();
    }
}
