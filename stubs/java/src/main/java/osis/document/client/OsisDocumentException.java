package osis.document.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import osis.document.v1.ErrorReason;

/** A call that failed: refused by the service, or lost on the way to it. Decide by the reason, then by the code; show the message. */
public class OsisDocumentException extends RuntimeException {
    private final Status.Code code;
    private final String reason;
    private final HashMap<String, String> metadata;
    private final Duration retryAfter;

    OsisDocumentException(String message, Status.Code code, Map<String, String> metadata, OsisDocumentException cause) {
        this(message, code, cause == null ? "" : cause.reason, metadata, cause == null ? null : cause.retryAfter, cause);
    }

    OsisDocumentException(String message, Status.Code code, String reason, Map<String, String> metadata) {
        this(message, code, reason, metadata, null, null);
    }

    private OsisDocumentException(
            String message, Status.Code code, String reason, Map<String, String> metadata, Duration retryAfter, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.reason = reason;
        this.metadata = new HashMap<>(metadata);
        this.retryAfter = retryAfter;
    }

    /** Makes a typed error of a {@code StatusRuntimeException} or {@code StatusException}, which is what the generated stubs raise. */
    public static OsisDocumentException of(Exception error) {
        if (error instanceof OsisDocumentException typed) {
            return typed;
        }
        Status status = Status.fromThrowable(error);
        com.google.rpc.Status details = StatusProto.fromThrowable(error);
        List<Any> all = details == null ? List.of() : details.getDetailsList();
        ErrorInfo info = find(all, ErrorInfo.getDefaultInstance());
        RetryInfo retry = find(all, RetryInfo.getDefaultInstance());
        boolean ours = info.getDomain().equals("document.osis");
        return new OsisDocumentException(
                Optional.ofNullable(status.getDescription()).orElse(status.getCode().name()),
                status.getCode(),
                ours ? info.getReason() : "",
                ours ? info.getMetadataMap() : Map.of(),
                retry.hasRetryDelay()
                        ? Duration.ofSeconds(retry.getRetryDelay().getSeconds(), retry.getRetryDelay().getNanos())
                        : null,
                error);
    }

    private static <T extends Message> T find(List<Any> details, T none) {
        for (Any detail : details) {
            try {
                if (detail.isSameTypeAs(none)) {
                    return detail.unpackSameTypeAs(none);
                }
            } catch (InvalidProtocolBufferException e) {
                return none; // a proxy on the way has damaged it; the code is still there
            }
        }
        return none;
    }

    /** The status code. */
    public Status.Code code() {
        return code;
    }

    /** Why the service refused; UNSPECIFIED where it gave no reason, UNRECOGNIZED for one that this version does not know. */
    public ErrorReason reason() {
        try {
            return ErrorReason.valueOf("ERROR_REASON_" + (reason.isEmpty() ? "UNSPECIFIED" : reason));
        } catch (IllegalArgumentException e) {
            return ErrorReason.UNRECOGNIZED;
        }
    }

    /** The reason as the service wrote it ({@code TOKEN_EXPIRED}); empty where it gave none. */
    public String reasonName() {
        return reason;
    }

    /** The values that the message speaks of, with the keys that the reason documents. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** How long the service asks to wait before the same call. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }

    /** True when nothing is wrong with the call itself, so that going on where it stopped may succeed. */
    public boolean isTransient() {
        return switch (code) {
            case UNAVAILABLE, CANCELLED, DEADLINE_EXCEEDED -> true;
            case INTERNAL, UNKNOWN -> reason.isEmpty();
            case RESOURCE_EXHAUSTED -> reason.equals("SERVER_OVERLOADED");
            default -> false;
        };
    }
}
