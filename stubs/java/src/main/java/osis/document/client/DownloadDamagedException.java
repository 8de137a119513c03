package osis.document.client;

import io.grpc.Status;
import java.util.Map;

/** Bytes arrived that are not those that were sent. Download again. */
public final class DownloadDamagedException extends OsisDocumentException {
    DownloadDamagedException(String message) {
        super(message, Status.Code.DATA_LOSS, "", Map.of());
    }
}
