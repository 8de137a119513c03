package osis.document.client;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.AbstractStub;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Counts the tries of one transfer that got nowhere, and pauses between them: doubling, with jitter. */
final class Tries {
    private static final int ATTEMPTS = 6;
    private static final long FIRST_PAUSE_MS = 250;
    private static final long LONGEST_PAUSE_MS = 5_000;

    private final ManagedChannel channel;
    private final Deadline deadline;
    private int fruitless;

    Tries(ManagedChannel channel, Duration timeout) {
        this.channel = channel;
        this.deadline = timeout == null ? null : Deadline.after(timeout.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** The stub with what is left of the time. */
    <S extends AbstractStub<S>> S limited(S stub) {
        return stub.withDeadline(deadline);
    }

    /** Notes that something moved: the count starts again. */
    void gotOn() {
        fruitless = 0;
    }

    /** Pauses before the next try; raises when there is to be none. */
    void pause(OsisDocumentException error, String stopped, Map<String, String> metadata) throws InterruptedException {
        double backoff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << fruitless) * ThreadLocalRandom.current().nextDouble(0.5, 1);
        long asked = error == null ? 0 : error.retryAfter().map(Duration::toMillis).orElse(0L);
        long pause = Math.max((long) backoff, asked);
        fruitless++;
        boolean last = fruitless >= ATTEMPTS || Context.current().isCancelled()
                || (deadline != null && deadline.timeRemaining(TimeUnit.MILLISECONDS) <= pause);
        if (channel.isShutdown() || (!last && channel.awaitTermination(pause, TimeUnit.MILLISECONDS))) {
            throw new OsisDocumentException(stopped + ": the client was closed", Status.Code.CANCELLED, "", metadata);
        }
        if (last) {
            String why = error == null ? "the stream ended before its end" : error.getMessage();
            Status.Code code = error == null ? Status.Code.UNAVAILABLE : error.code();
            throw new OsisDocumentException(stopped + ": " + why, code, metadata, error);
        }
        channel.resetConnectBackoff(); // gRPC's own pause would grow to two minutes
    }
}
