package osis.document.client.conformance;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import io.grpc.stub.ClientCalls;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import osis.document.client.OsisDocumentClient;
import osis.document.client.OsisDocumentException;
import osis.document.v1.DocumentServiceGrpc;
import osis.document.v1.DownloadRequest;
import osis.document.v1.DownloadServiceGrpc;
import osis.document.v1.PostProcessingServiceGrpc;
import osis.document.v1.TokenServiceGrpc;
import osis.document.v1.UploadResult;
import osis.document.v1.UploadServiceGrpc;
import osis.document.v1.UploadSpec;
import osis.document.v1.WorkerServiceGrpc;

/** Takes one command per line on stdin and answers one line each on stdout: see tests/conformance. */
public final class Driver {
    private static final List<ServiceDescriptor> SERVICES = List.of(
            DocumentServiceGrpc.getServiceDescriptor(),
            DownloadServiceGrpc.getServiceDescriptor(),
            PostProcessingServiceGrpc.getServiceDescriptor(),
            TokenServiceGrpc.getServiceDescriptor(),
            UploadServiceGrpc.getServiceDescriptor(),
            WorkerServiceGrpc.getServiceDescriptor());

    private final BufferedReader commands;
    private OsisDocumentClient client;

    private Driver(BufferedReader commands) {
        this.commands = commands;
    }

    public static void main(String[] arguments) throws IOException {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Gson gson = new Gson().newBuilder().serializeNulls().disableHtmlEscaping().create();
        Driver driver = new Driver(commands);
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            answers.println(gson.toJson(driver.answer(JsonParser.parseString(line).getAsJsonObject())));
        }
        if (driver.client != null) {
            driver.client.close();
        }
    }

    private JsonObject answer(JsonObject command) {
        Thread closing = new Thread(this::closeWhenTold);
        if (has(command, "until_closed")) {
            closing.start();
        }
        JsonObject answer = outcome(command);
        try {
            closing.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return answer;
    }

    /** The next command is to close the client. */
    private void closeWhenTold() {
        try {
            commands.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        client.close();
    }

    private JsonObject outcome(JsonObject command) {
        try {
            return with("ok", run(command));
        } catch (StatusRuntimeException e) {
            return with("error", described(OsisDocumentException.of(e)));
        } catch (OsisDocumentException e) {
            return with("error", described(e));
        } catch (Exception e) {
            e.printStackTrace();
            return with("error", described(OsisDocumentException.of(e)));
        }
    }

    private JsonElement run(JsonObject command) throws Exception {
        return switch (text(command, "do")) {
            case "connect" -> connect(command);
            case "upload", "upload_stream" -> upload(command);
            case "download" -> download(command);
            case "call" -> json(call(command).next());
            case "watch" -> {
                JsonArray messages = new JsonArray();
                for (Iterator<Message> received = call(command); received.hasNext(); ) {
                    messages.add(json(received.next()));
                }
                yield with("messages", messages);
            }
            default -> throw Status.UNIMPLEMENTED.withDescription("there is no command " + command).asRuntimeException();
        };
    }

    private JsonElement connect(JsonObject command) throws IOException {
        if (client != null) {
            client.close();
        }
        String authority = text(command, "tls_ca_file");
        client = authority.isEmpty()
                ? OsisDocumentClient.connect(text(command, "target"), text(command, "api_key"))
                : OsisDocumentClient.connect(
                        text(command, "target"),
                        text(command, "api_key"),
                        TlsChannelCredentials.newBuilder().trustManager(new File(authority)).build());
        return new JsonObject();
    }

    private OsisDocumentClient limited(JsonObject command) {
        OsisDocumentClient limited = client;
        if (has(command, "deadline_seconds")) {
            limited = limited.withTimeout(Duration.ofNanos(nanoseconds(command)));
        }
        return has(command, "chunk_size_bytes") ? limited.withChunkSize(command.get("chunk_size_bytes").getAsInt()) : limited;
    }

    private JsonElement upload(JsonObject command) throws Exception {
        Path file = Path.of(text(command, "path"));
        UploadSpec spec = UploadSpec.newBuilder().setName(text(command, "name")).setUploadId(text(command, "upload_id")).build();
        UploadResult result;
        if (text(command, "do").equals("upload")) {
            result = limited(command).upload(file, spec);
        } else {
            try (InputStream stream = Files.newInputStream(file)) {
                result = limited(command).upload(stream, spec);
            }
        }
        JsonObject answer = with("document", json(result.getDocument()));
        answer.addProperty("write_token", result.getWriteToken());
        return answer;
    }

    private JsonElement download(JsonObject command) throws Exception {
        Path target = Path.of(text(command, "path"));
        DownloadRequest request = DownloadRequest.newBuilder()
                .setToken(text(command, "token"))
                .setReadOffset(has(command, "offset") ? command.get("offset").getAsLong() : 0)
                .setReadLimit(has(command, "length") ? command.get("length").getAsLong() : 0)
                .setExpectedSha256(text(command, "expected_sha256"))
                .build();
        limited(command).download(request, target);
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        JsonObject answer = new JsonObject();
        try (InputStream written = new DigestInputStream(Files.newInputStream(target), digest)) {
            answer.addProperty("size_bytes", written.transferTo(PrintStream.nullOutputStream()));
        }
        answer.addProperty("sha256", HexFormat.of().formatHex(digest.digest()));
        return answer;
    }

    /** Makes a call as the generated stubs do, of whichever rpc. */
    private Iterator<Message> call(JsonObject command) throws IOException {
        String rpc = text(command, "rpc");
        MethodDescriptor<Message, Message> method = method("osis.document.v1." + rpc);
        var schema = (ProtoMethodDescriptorSupplier) method.getSchemaDescriptor();
        DynamicMessage.Builder request = DynamicMessage.newBuilder(schema.getMethodDescriptor().getInputType());
        JsonFormat.parser().merge(has(command, "request") ? command.get("request").toString() : "{}", request);
        CallOptions options = has(command, "deadline_seconds")
                ? CallOptions.DEFAULT.withDeadlineAfter(nanoseconds(command), TimeUnit.NANOSECONDS)
                : CallOptions.DEFAULT;
        Message message = method.parseRequest(request.build().toByteString().newInput());
        ClientCall<Message, Message> call = client.channel().newCall(method, options);
        return method.getType().serverSendsOneMessage()
                ? List.of(ClientCalls.blockingUnaryCall(call, message)).iterator()
                : ClientCalls.blockingServerStreamingCall(call, message);
    }

    @SuppressWarnings("unchecked") // every message of the contract is a Message
    private static MethodDescriptor<Message, Message> method(String name) {
        return (MethodDescriptor<Message, Message>) SERVICES.stream()
                .flatMap(service -> service.getMethods().stream())
                .filter(each -> each.getFullMethodName().equals(name))
                .findFirst()
                .orElseThrow(() -> Status.UNIMPLEMENTED.withDescription("the contract has no rpc " + name).asRuntimeException());
    }

    private static JsonElement described(OsisDocumentException error) {
        JsonObject description = new JsonObject();
        JsonObject metadata = new JsonObject();
        error.metadata().forEach(metadata::addProperty);
        description.addProperty("code", error.code().name());
        description.addProperty("reason", error.reasonName());
        description.addProperty("message", error.getMessage());
        description.add("metadata", metadata);
        description.add("retry_after_seconds", JsonNull.INSTANCE);
        error.retryAfter().ifPresent(time -> description.addProperty("retry_after_seconds", time.toMillis() / 1000.0));
        description.addProperty("type", error.getClass().getSimpleName());
        return description;
    }

    private static JsonElement json(MessageOrBuilder message) throws IOException {
        return JsonParser.parseString(JsonFormat.printer().print(message));
    }

    private static JsonObject with(String key, JsonElement value) {
        JsonObject object = new JsonObject();
        object.add(key, value);
        return object;
    }

    private static boolean has(JsonObject command, String key) {
        return command.has(key) && !command.get(key).isJsonNull();
    }

    private static String text(JsonObject command, String key) {
        return has(command, key) ? command.get(key).getAsString() : "";
    }

    private static long nanoseconds(JsonObject command) {
        return (long) (command.get("deadline_seconds").getAsDouble() * 1e9);
    }
}
